"""Builds in a container of its own: limited, without privileges, and with a disk that is its alone."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Mount

from paas.lib.errors import ServiceUnavailable
from paas.seams.blobs.base import Blobs
from paas.seams.builders.attached import start
from paas.seams.builders.base import Builder, BuildFailed, BuildRequest, Built, Line, Step
from paas.seams.builders.disk import USER, BuildDisk, remove_disks
from paas.seams.builders.failures import Ending, explain
from paas.seams.builders.inputs import lay_out
from paas.seams.builders.results import built_from, step_from
from paas.seams.builders.watch import Watch, watched

Emit = Callable[[Step | Line], None]

PYTHON = "/usr/local/lib/paas/tools/bin/python"
RUN = "import sys; sys.path.insert(0, '/build'); from lifecycle.main import main; sys.exit(main())"
HOST_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATES = "/etc/cf-system-certificates"
# Every program has its own name for the same file.
TRUST = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
CPUS = 2.0
CPU_SHARES = 256  # of an app's 1024: a build takes what the apps leave
PIDS = 1024
KEPT = 400  # lines to look for a cause in


class ContainerBuilder(Builder):
    """``images`` names the image of each stack; ``buildpacks`` is the folder of those that are built in."""

    def __init__(self, *, install: str, state: Path, blobs: Blobs, images: Mapping[str, str], buildpacks: Path) -> None:
        self._install, self._blobs, self._images, self._buildpacks = install, blobs, images, buildpacks
        self._disks = state / "builds"

    @cached_property
    def _engine(self) -> docker.DockerClient:
        return docker.from_env()  # asks the engine for its version, so not before there is something to build

    def build(self, request: BuildRequest, emit: Emit, cancelled: Callable[[], bool]) -> Built:
        watch = Watch(cancelled, timeout=request.timeout)
        watch.check()
        if request.stack not in self._images:
            there = ", ".join(sorted(self._images))
            raise BuildFailed("StagingError", f"There is no stack {request.stack}. Name one of: {there}.")
        with _engine_errors():
            self._remove(request.guid)
            disk = BuildDisk(self._disks / request.guid, size_mb=request.disk_mb)
            try:
                emit(Step("download", "Fetch source and cache"))
                disk.make()
                lay_out(request, disk.path / "in", blobs=self._blobs, buildpacks=self._buildpacks, watch=watch)
                container = self._create(request, disk)
                try:
                    said = self._follow(container, request, disk=disk, emit=emit, watch=watch)
                finally:
                    _remove_container(container)
                return self._store(request, disk, said=said, watch=watch)
            finally:
                disk.remove()

    def clean(self, keep: Collection[str]) -> None:
        with _engine_errors():
            labels = [f"paas.install={self._install}", "paas.kind=build"]
            for container in self._engine.containers.list(all=True, sparse=True, filters={"label": labels}):
                if container.attrs["Labels"].get("paas.build") not in keep:
                    _remove_container(container)
        if self._disks.is_dir():
            for folder in self._disks.iterdir():
                if folder.name not in keep:
                    remove_disks(folder)

    def _remove(self, guid: str) -> None:
        """Remove what a builder before us left of the same build."""
        with suppress(NotFound):
            _remove_container(self._engine.containers.get(self._name(guid)))
        remove_disks(self._disks / guid)

    def _name(self, guid: str) -> str:
        return f"paas-{self._install}-build-{guid}"

    def _create(self, request: BuildRequest, disk: BuildDisk) -> Container:
        bundle = f"{CERTIFICATES}/ca.crt"
        places = {"home": "/home/vcap", "tmp": "/tmp", "out": "/out"}  # noqa: S108  in the container
        mounts = [Mount(target, str(disk.path / name), type="bind") for name, target in places.items()]
        mounts.append(Mount("/build", str(disk.path / "in"), type="bind", read_only=True))
        mounts.append(Mount(bundle, os.environ.get("SSL_CERT_FILE", HOST_BUNDLE), type="bind", read_only=True))
        # The kernel tells every container which files on the host are behind every loop device: whose, in other words.
        mounts.append(Mount("/sys/devices/virtual/block", None, type="tmpfs", tmpfs_size=4096, tmpfs_mode=0o555))
        return self._engine.containers.create(
            self._images[request.stack],
            [PYTHON, "-I", "-B", "-c", RUN],
            name=self._name(request.guid),
            hostname="build",
            labels={
                "paas.install": self._install,
                "paas.kind": "build",
                "paas.build": request.guid,
                "paas.app": request.app,
            },
            environment={"CF_STACK": request.stack, "CF_SYSTEM_CERT_PATH": CERTIFICATES}
            | {"MEMORY_LIMIT": f"{request.memory_mb}m"}
            | dict.fromkeys(TRUST, bundle),
            user=f"{USER}:{USER}",
            working_dir="/home/vcap",
            network=f"paas-{self._install}",
            mounts=mounts,
            read_only=True,
            init=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=f"{request.memory_mb}m",
            memswap_limit=f"{request.memory_mb}m",
            nano_cpus=int(min(CPUS, os.cpu_count() or 1) * 1e9),
            cpu_shares=CPU_SHARES,
            pids_limit=PIDS,
            oom_score_adj=500,
            # The output is read as it is written, by us alone; the engine keeps no second copy of it.
            log_config=LogConfig(type="none"),
        )

    def _follow(
        self, container: Container, request: BuildRequest, *, disk: BuildDisk, emit: Emit, watch: Watch
    ) -> dict[str, Any]:
        """Start the container, pass on what it says, and return its result; raise ``BuildFailed`` without one."""
        last: deque[str] = deque(maxlen=KEPT)
        step = ""
        messages: dict[str, Any] = {}
        for piece in start(container, watch):
            if isinstance(piece, Line):
                last.append(piece.text[:2000])
                emit(piece)
            elif found := step_from(piece):
                step = found.title
                emit(found)
            else:
                messages |= piece
        status = container.wait(timeout=30)["StatusCode"]
        container.reload()
        result = messages.get("result")
        if status == 0 and isinstance(result, dict):
            return result
        ending = Ending(
            status=status,
            out_of_memory=container.attrs["State"]["OOMKilled"],
            disk_full=disk.is_full(),
            step=step,
            last_lines=last,
            said=messages["failure"] if isinstance(messages.get("failure"), dict) else {},
        )
        raise explain(ending, request)

    def _store(self, request: BuildRequest, disk: BuildDisk, *, said: dict[str, Any], watch: Watch) -> Built:
        with disk.open_output("droplet.tgz") as file:
            blob = self._blobs.put(request.droplet_key, watched(file, watch))
        if said.get("cache"):
            with disk.open_output("cache.tgz") as file:
                self._blobs.put(request.cache_key, watched(file, watch))
        return built_from(said, sha256=blob.sha256, size=blob.size)


def _remove_container(container: Container) -> None:
    with suppress(NotFound):
        container.remove(force=True)


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Tell an engine that fails from source that fails: the build may be tried again."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise ServiceUnavailable(
            f"The container engine could not run the build ({error}). It is tried again; if it goes on, `make doctor` "
            "on the platform's machine says what is missing."
        ) from error
