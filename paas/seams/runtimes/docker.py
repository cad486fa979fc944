"""Runs workloads on this machine's Docker engine, together with the agent that watches over what runs."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from paas.lib.errors import InsufficientResources, ServiceUnavailable, Unprocessable
from paas.seams.blobs.base import Blobs

from . import containers, limits
from .authority import Authority
from .base import Happening, ImageRef, LogLine, Observation, Placement, Runtime, StackDroplet, Workload
from .cell import Cell
from .seen import happening, observation

KINDS = ("instance", "task")
SHARE_OF_MACHINE = 0.8


class DockerRuntime(Runtime):
    """``images`` maps stacks to images; ``memory_mb`` is for all instances together, None is 80 % of the machine."""

    def __init__(
        self, *, install: str, state: Path, blobs: Blobs, images: dict[str, str], memory_mb: int | None
    ) -> None:
        self.install, self.state, self.blobs, self.images = install, state, blobs, images
        self.memory_mb = memory_mb
        self.cell = Cell(state / "cell/cell.sock")
        self.authority = Authority(state / "authority")
        self._client: docker.APIClient | None = None

    @property
    def client(self) -> docker.APIClient:
        if self._client is None:
            self._client = docker.from_env(timeout=60).api
        return self._client

    def apply(self, workload: Workload) -> None:
        with _engine():
            image = self._image(workload)
            for placement in workload.instances:
                self._open_ways(workload, placement)
            for container in self._create(workload, image):
                self.client.start(container)

    def prune(self, app: str, keep: Collection[str], *, grace: int = 10) -> None:
        self.cell.prune(app, keep=sorted(keep), grace=grace)

    def observe(self, apps: Collection[str] | None = None) -> list[Observation]:
        if apps is not None and not apps:
            return []
        return [observation(each) for each in self.cell.observations(None if apps is None else sorted(apps))]

    def happenings(self, after: int) -> list[Happening]:
        return [happening(each) for each in self.cell.happenings(after)]

    def write_log(self, source: str, lines: Sequence[LogLine]) -> None:
        given = [(each.at, each.source_type, each.instance, each.stream, each.text) for each in lines]
        self.cell.write_log(source, [(*line[:4], text) for line in given for text in line[4].split("\n")])

    def read_log(
        self,
        source: str,
        *,
        start: int = 0,
        end: int | None = None,
        limit: int = 100,
        descending: bool = False,
        source_types: Collection[str] = (),
        instance: str = "",
    ) -> list[LogLine]:
        query: list[tuple[str, Any]] = [("start", start), ("limit", limit)]
        query += [("end", end)] if end is not None else []
        query += [("descending", 1)] if descending else []
        query += [("instance", instance)] if instance else []
        query += [("source_type", kind) for kind in source_types]
        return [LogLine(*line) for line in self.cell.read_log(source, query)]

    def kept(self) -> set[str]:
        return set(self.cell.volumes())

    def forget(self, source: str) -> None:
        self.cell.forget(source)

    def _create(self, workload: Workload, image: dict[str, Any]) -> list[str]:
        """Make the containers that are missing; return those that wait for their first start."""
        missing = self._missing(workload, self._present())  # their disks are made before anybody has to wait
        disks = {each.guid: self._disk(workload, each, image) for each in missing}
        volume = self._volume(workload) if missing else None
        stores = self._stores(workload) if missing else ()
        with self._alone():
            present = self._present()
            missing = self._missing(workload, present)
            made = {
                each.guid: self._container(workload, each, image, disks[each.guid], volume, stores) for each in missing
            }
        # One that was left "created" was made by a worker that died before it could start it.
        left = (present[each.guid] for each in workload.instances if each.guid in present)
        return [*made.values(), *(each["Id"] for each in left if each["State"] == "created")]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time count the memory that is taken and take its own."""
        with (self.state / "cell/capacity.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _present(self) -> dict[str, dict[str, Any]]:
        listed = self.client.containers(all=True, filters={"label": [f"paas.install={self.install}"]})
        return {each["Labels"]["paas.instance"]: each for each in listed if each["Labels"].get("paas.kind") in KINDS}

    def _missing(self, workload: Workload, present: dict[str, dict[str, Any]]) -> list[Placement]:
        """Return the instances that are not there; raise ``InsufficientResources`` where they have no room."""
        missing = [placement for placement in workload.instances if placement.guid not in present]
        used = sum(int(each["Labels"]["paas.memory"]) for each in present.values() if not _has_ended(each))
        wanted = len(missing) * workload.memory_mb
        if missing and used + wanted > self._capacity():
            raise InsufficientResources(
                f"{wanted} MB of memory are asked for, and the platform has {max(0, self._capacity() - used)} MB free. "
                "Ask for less memory or fewer instances, or tell the platform team."
            )
        return missing

    def _capacity(self) -> int:
        if self.memory_mb is None:
            self.memory_mb = int(self.client.info()["MemTotal"] / containers.MB * SHARE_OF_MACHINE)
        return self.memory_mb

    def _image(self, workload: Workload) -> dict[str, Any]:
        """Return what the engine knows of the workload's image, pulled now if need be."""
        if isinstance(workload.source, StackDroplet):
            if workload.source.stack not in self.images:
                raise Unprocessable(
                    f"There is no stack {workload.source.stack!r}; there are: {', '.join(self.images)}."
                )
            found: dict[str, Any] = self.client.inspect_image(self.images[workload.source.stack])
            return found
        try:
            found = self.client.inspect_image(workload.source.name)
        except ImageNotFound:
            self._pull(workload.source)
            found = self.client.inspect_image(workload.source.name)
        return found

    def _pull(self, image: ImageRef) -> None:
        login = {"username": image.username, "password": image.password} if image.username else None
        try:
            self.client.pull(
                image.name, tag=None if ":" in image.name.rpartition("/")[2] else "latest", auth_config=login
            )
        except APIError as error:
            raise Unprocessable(
                f"The image {image.name} could not be fetched: {error.explanation or error}."
            ) from error

    def _open_ways(self, workload: Workload, placement: Placement) -> None:
        ways = [(peer.address, peer.port, peer.protocol) for peer in workload.reaches]
        self.cell.open_ways(placement.guid, address=placement.address, reaches=ways)

    def _container(
        self,
        workload: Workload,
        placement: Placement,
        image: dict[str, Any],
        disk: Path,
        volume: Path | None = None,
        stores: Sequence[Path] = (),
    ) -> str:
        network = f"paas-{self.install}"
        open_files = limits.open_files(containers.OPEN_FILES)
        host = containers.host_config(
            workload,
            image,
            disk=disk,
            volume=volume,
            stores=stores,
            bundle=self.authority.bundle(),
            authority=self.authority.certificate(),
            open_files=open_files,
            network=network,
        )
        aliases = [workload.host] if workload.host else None
        made: dict[str, str] = self.client.create_container(
            image=image["Id"],
            name=f"paas-{self.install}-i-{placement.guid}",
            hostname=placement.guid[:63],
            user=containers.user(workload, image),
            environment=containers.environment(workload, placement),
            labels=containers.labels(workload, placement, self.install),
            host_config=self.client.create_host_config(**host),
            networking_config=self.client.create_networking_config(
                {network: self.client.create_endpoint_config(ipv4_address=placement.address, aliases=aliases)}
            ),
            **containers.command(workload),
        )
        return made["Id"]

    def _volume(self, workload: Workload) -> Path | None:
        volume = workload.volume
        return self.cell.create_volume(volume.name, app=workload.app, size_mb=volume.size_mb) if volume else None

    def _stores(self, workload: Workload) -> tuple[Path, ...]:
        return tuple(
            self.cell.create_volume(each.name, app=each.name, size_mb=each.size_mb, reserved=False)
            for each in workload.stores
        )

    def _disk(self, workload: Workload, placement: Placement, image: dict[str, Any]) -> Path:
        """Return where the instance's disk is mounted, with the droplet in it."""
        guid, source = placement.guid, workload.source
        given: dict[str, Any] = {"app": workload.app, "size_mb": workload.disk_mb, "files": workload.files}
        if isinstance(source, ImageRef):
            return self.cell.create_disk(guid, volumes=len(containers.volumes(image)), **given)
        with self.blobs.local(source.key) as path:
            return self.cell.create_disk(guid, droplet=path.resolve(), digest=source.digest, **given)


def _has_ended(container: dict[str, Any]) -> bool:
    """Tell whether it is a task that is done; an instance comes back, and needs its memory then."""
    return container["Labels"]["paas.kind"] == "task" and container["State"] in ("exited", "dead")


@contextmanager
def _engine() -> Iterator[None]:
    """Turn an engine that is away, or that refuses, into a sentence."""
    try:
        yield
    except (requests.ConnectionError, requests.Timeout) as error:
        raise ServiceUnavailable("The container engine does not answer. Try again in a minute.") from error
    except DockerException as error:
        raise ServiceUnavailable(f"The container engine could not start the app: {error}.") from error
