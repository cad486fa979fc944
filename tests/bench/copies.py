"""One of our containers made again by hand: the same image, limits and files, on a volume and a network of its own."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import psycopg
import redis

from paas.host.shell import run
from paas.seams.runtimes.base import BINDINGS
from tests.bench.ground import soon

PASSWORD = "correct-horse-battery"
VOLUME = ("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0")


class Network:
    """A bridge as the engine makes it by default, on which everybody talks to everybody."""

    def __init__(self) -> None:
        self.engine = docker.from_env().api
        self.name = f"bench-{secrets.token_hex(3)}"
        self.engine.create_network(self.name)

    def remove(self) -> None:
        self.engine.remove_network(self.name)


class Copy:
    """``like`` names our container; what it writes to is replaced: its volume by one of the same size, the rest by folders."""

    def __init__(self, network: Network, like: str, *, command: list[str] | None = None) -> None:
        self.engine, self.network = network.engine, network
        self.like, self.command = self.engine.inspect_container(like), command
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp"))  # where ours are, too
        self.mounted: list[Path] = []
        self.container = self.address = ""

    def start(self) -> None:
        """Make and start it, as one would from a shell."""
        given = {key: self.like["Config"][key] for key in ("Image", "User", "Env", "Entrypoint", "Cmd", "WorkingDir")}
        if self.command:
            given |= {"Entrypoint": self.command, "Cmd": None}
        host = {**self.like["HostConfig"], "NetworkMode": self.network.name, "RestartPolicy": {"Name": "no"}}
        host["Mounts"] = [self._own(**mount) for mount in host["Mounts"]]
        made = self.engine.create_container_from_config({**given, "HostConfig": host}, name=self.folder.name)
        self.container = made["Id"]
        self.engine.start(self.container)
        networks = self.engine.inspect_container(self.container)["NetworkSettings"]["Networks"]
        self.address = networks[self.network.name]["IPAddress"]

    def run(self, *words: str) -> str:
        return run(["docker", "exec", self.container, *words])

    def remove(self) -> None:
        if self.container:
            self.engine.remove_container(self.container, force=True)
        for point in self.mounted:
            run(["umount", point])
        shutil.rmtree(self.folder)

    def _own(self, **mount: Any) -> dict[str, Any]:
        """Return the mount with a source of our own, where there is to be one."""
        target, source = mount["Target"], Path(mount["Source"])
        image = source.parent.with_suffix(".img")
        if target == BINDINGS:
            return {**mount, "Source": str(self._files(source))}
        if mount.get("ReadOnly") or target == "/home/vcap":
            return mount
        own = self.folder / target.strip("/").replace("/", "-")
        own.mkdir()
        if image.exists() and _is_whole(image):
            self._volume(own, image.stat().st_size)
        own.chmod(0o1777)
        return {**mount, "Source": str(own)}

    def _volume(self, point: Path, size: int) -> None:
        image = self.folder / f"{point.name}.img"
        run(["fallocate", "--length", str(size), image])
        run([*VOLUME, image])
        run(["mount", "-o", "loop,nosuid,nodev,noatime", image, point])
        self.mounted.append(point)

    def _files(self, source: Path) -> Path:
        own = self.folder / "files"
        shutil.copytree(source, own)
        users = own / "users.acl"
        if users.exists():
            digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
            users.write_text(f"user default off\nuser platform on #{digest} ~* &* +@all\n")
        return own


class ServerCopy(Copy):
    """The server of a service, and whether it can be used."""

    def ready(self, service: str) -> None:
        soon(lambda: READY[service](self), f"the copy of {service}")

    def superuser(self) -> psycopg.Connection[Any]:
        password = (self.folder / "files/superuser").read_text()
        return psycopg.connect(
            host=self.address, user="postgres", password=password, dbname="main", sslmode="require", autocommit=True
        )


def _is_whole(image: Path) -> bool:
    """Tell whether all of its size was taken from the machine: what is not has room for more than it needs."""
    seen = image.stat()
    return seen.st_blocks * 512 >= seen.st_size


def _postgres(server: ServerCopy) -> bool:
    try:
        with server.superuser():
            return True
    except psycopg.OperationalError:
        return False


def _redis(server: ServerCopy) -> bool:
    client = redis.Redis(
        host=server.address, username="platform", password=PASSWORD, ssl=True, ssl_cert_reqs="none", socket_timeout=5
    )
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


READY: dict[str, Callable[[ServerCopy], bool]] = {"postgres": _postgres, "redis": _redis}
