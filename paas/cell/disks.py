"""Gives each instance a disk of its own size: a sparse file with ext4, mounted through a loop device, droplet inside."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from . import mounting
from .droplets import Droplets
from .memory import Memory

OWNER = 2000
SMALLEST_MB = 16
FULL_BYTES = 256 << 10


class DropletRefused(Exception):
    """The droplet does not fit into the disk that the instance may have, or it is none; the text is for its owner."""


class Disks:
    """``<folder>/<guid>.img`` is mounted at ``<folder>/<guid>``; the container gets its inner ``home``.

    The inner folder exists only while the disk is mounted, so that a container without its disk does not start,
    instead of writing to the machine's own disk.
    """

    def __init__(self, folder: Path, droplets: Droplets, memory: Memory) -> None:
        self.folder, self.droplets, self.memory = folder, droplets, memory
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)

    def mount_point(self, guid: str) -> Path:
        return self.folder / guid

    def create(
        self,
        guid: str,
        *,
        app: str,
        size_mb: int,
        droplet: Path | None,
        digest: str,
        volumes: int = 0,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Make the disk with the droplet in it, or with empty folders; one that is whole already stays as it is.

        ``files`` are put beside it, for the instance to read.
        """
        with self.locks[guid]:
            if guid in self.memory.facts()["disks"]:
                self._mount(guid)
                return
            self._discard(guid)
            try:
                self._format(guid, size_mb)
                self._mount(guid)
                if droplet:
                    self._fill(guid, size_mb, droplet, digest)
                else:
                    self._open_folders(guid, volumes)
                self._put_files(guid, files or {})
            except BaseException:
                self._discard(guid)
                raise
            with self.memory.change() as facts:
                facts["disks"][guid] = {"app": app}

    def remove(self, guid: str) -> None:
        with self.locks[guid]:
            self._discard(guid)
            with self.memory.change() as facts:
                facts["disks"].pop(guid, None)

    def mount_all(self) -> list[str]:
        """Mount what should be mounted; return a sentence for each that could not be."""
        wrong = []
        for guid in self.memory.facts()["disks"]:
            try:
                with self.locks[guid]:
                    self._mount(guid)
            except (OSError, subprocess.CalledProcessError) as error:
                wrong.append(f"The disk of instance {guid} could not be mounted: {error}.")
        return wrong

    def sweep(self) -> None:
        """Remove what an agent that was killed while making a disk left behind."""
        known = self.memory.facts()["disks"]
        for guid in {path.name.removesuffix(".img") for path in self.folder.iterdir()}:
            if guid not in known and not self.locks[guid].locked():
                with self.locks[guid]:
                    if guid not in self.memory.facts()["disks"]:
                        self._discard(guid)

    def used_bytes(self, guid: str) -> int | None:
        point = self.mount_point(guid)
        if not (point / "home").exists():
            return None
        seen = os.statvfs(point)
        return (seen.f_blocks - seen.f_bfree) * seen.f_frsize

    def _format(self, guid: str, size_mb: int) -> None:
        image = self.folder / f"{guid}.img"
        with image.open("wb") as file:
            file.truncate(max(size_mb, SMALLEST_MB) << 20)
        image.chmod(0o600)
        # No journal: the disk does not outlive its instance, and a journal costs 33 MB of each GB.
        options = ["-q", "-F", "-O", "^has_journal", "-m", "0", "-i", "8192", "-E", "lazy_itable_init=1,nodiscard"]
        subprocess.run(["mkfs.ext4", *options, str(image)], check=True, capture_output=True, timeout=60)

    def _mount(self, guid: str) -> None:
        mounting.mount(self.folder / f"{guid}.img", self.mount_point(guid), discard=True)

    def _fill(self, guid: str, size_mb: int, droplet: Path, digest: str) -> None:
        home = self.mount_point(guid) / "home"
        for path in (home, home / "app", home / "tmp", home / "logs"):
            path.mkdir()
            os.chown(path, OWNER, OWNER)
        problem = self.droplets.unpack(droplet, digest, home, room=size_mb << 20)
        if problem and _is_full(home):
            raise DropletRefused(
                f"The droplet does not fit into the {size_mb} MB of disk that each instance has. Raise the disk limit."
            )
        if problem:
            raise DropletRefused(f"The droplet could not be unpacked: {problem}. Stage the app again.")

    def _open_folders(self, guid: str, volumes: int) -> None:
        # For an image, whose user may have any number; nobody else ever sees these folders.
        for name in ("home", *(f"volume-{number}" for number in range(volumes))):
            path = self.mount_point(guid) / name
            path.mkdir()
            path.chmod(0o1777)

    def _put_files(self, guid: str, files: Mapping[str, str]) -> None:
        root = self.mount_point(guid) / "files"
        for name, content in files.items():
            path = root.joinpath(*PurePosixPath(name).parts)
            if not path.is_relative_to(root) or ".." in path.parts:
                raise DropletRefused(f"{name!r} is no name of a file.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for path in (root, *root.rglob("*")) if files else ():
            path.chmod(0o755 if path.is_dir() else 0o444)

    def _discard(self, guid: str) -> None:
        # Lazily, since a file of it may still be open for a moment after its container has gone.
        mounting.discard(self.folder / f"{guid}.img", self.mount_point(guid))


def _is_full(folder: Path) -> bool:
    seen = os.statvfs(folder)
    return seen.f_bavail * seen.f_frsize < FULL_BYTES or seen.f_favail == 0
