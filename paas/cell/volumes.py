"""Disks that outlive instances: they only grow, and they are told to go. Most take their size from the machine at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path

from . import mounting
from .memory import Memory

SPARE = 2 << 30  # bytes that the machine itself keeps, whatever is asked for
CHECK_TIMEOUT = 600
FREE_SECONDS = 10
# Nothing is left for the kernel to clear later, which would give blocks back that have just been taken.
WHOLE = "nodiscard,lazy_itable_init=0,lazy_journal_init=0"
SPARSE = "nodiscard,lazy_itable_init=1"
MENDED = 1  # e2fsck's status when it found something and put it right


class NoRoom(OSError):
    """The machine's disk cannot hold the volume; the text says how much is left."""


class Volumes:
    """``<folder>/<name>.img`` is mounted at ``<folder>/<name>``; the container gets its inner ``data``.

    As with an instance's disk the inner folder is there only while it is mounted, so that nothing starts without it.
    """

    def __init__(self, folder: Path, memory: Memory) -> None:
        self.folder, self.memory = folder, memory
        self.locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)

    def create(self, name: str, *, app: str, size_mb: int, reserved: bool = True) -> Path:
        """Make the volume, or let it grow to the size; return where it is mounted.

        One that is not ``reserved`` takes room from the machine only as it fills.
        """
        with self.locks[name]:
            if not self._is_made(name):
                self._note(
                    name, app, made=False, reserved=reserved
                )  # so that it is found, and can be told to go, however far this gets
                self._make(name, size_mb, reserved)
                self._note(name, app, made=True, reserved=reserved)
            elif self._image(name).stat().st_size < size_mb << 20 or self._is_growing(name):
                self._note(name, app, made=True, reserved=reserved, growing=True)  # until it has, it is tried again
                self._grow(name, size_mb, reserved)
                self._note(name, app, made=True, reserved=reserved)
            self._mount(name)
            return self.folder / name

    def forget(self, app: str) -> None:
        """Remove what the app kept."""
        for name, kept in self.memory.facts()["volumes"].items():
            if kept["app"] == app:
                with self.locks[name]:
                    mounting.discard(self._image(name), self.folder / name)
                    with self.memory.change() as facts:
                        facts["volumes"].pop(name, None)

    def apps(self) -> set[str]:
        """Return those that have volumes, also where one was only begun."""
        return {kept["app"] for kept in self.memory.facts()["volumes"].values()}

    def mount_all(self) -> list[str]:
        """Mount what should be mounted; return a sentence for each that could not be."""
        wrong = []
        for name in self.memory.facts()["volumes"]:
            try:
                with self.locks[name]:
                    if self._is_made(name):
                        self._mount(name)
            except (OSError, subprocess.CalledProcessError) as error:
                wrong.append(f"The volume {name} could not be mounted: {error}.")
        return wrong

    def used_bytes(self, app: str) -> int | None:
        """Return what the app's volumes hold, None where it has none that is mounted."""
        points = [self.folder / name for name, kept in self.memory.facts()["volumes"].items() if kept["app"] == app]
        seen = [os.statvfs(point) for point in points if os.path.ismount(point)]
        return sum((each.f_blocks - each.f_bfree) * each.f_frsize for each in seen) if seen else None

    def _is_made(self, name: str) -> bool:
        return bool(self.memory.facts()["volumes"].get(name, {}).get("made"))

    def _is_growing(self, name: str) -> bool:
        return bool(self.memory.facts()["volumes"][name].get("growing"))

    def _note(self, name: str, app: str, *, made: bool, reserved: bool, growing: bool = False) -> None:
        with self.memory.change() as facts:
            facts["volumes"][name] = {"app": app, "made": made, "reserved": reserved, "growing": growing}

    def _image(self, name: str) -> Path:
        return self.folder / f"{name}.img"

    def _make(self, name: str, size_mb: int, reserved: bool) -> None:
        image, point = self._image(name), self.folder / name
        mounting.discard(image, point)  # half made by an agent that was killed
        try:
            self._size(image, size_mb << 20, reserved)
            # With a journal: what is in it must come through a crash of the machine. Nothing is kept back for root.
            mounting.run(
                "mkfs.ext4",
                "-q",
                "-F",
                "-m",
                "0",
                "-E",
                WHOLE if reserved else SPARSE,
                str(image),
                timeout=CHECK_TIMEOUT,
            )
            self._mount(name)
            (point / "data").mkdir()
            (point / "data").chmod(0o1777)  # for whatever user the image has; nobody else ever sees it
        except BaseException:
            mounting.discard(image, point)
            raise

    def _size(self, image: Path, size: int, reserved: bool) -> None:
        if reserved:
            self._reserve(image, size)
        else:
            with image.open("ab") as file:
                file.truncate(size)
            image.chmod(0o600)

    def _reserve(self, image: Path, size: int) -> None:
        """Take the blocks now, so that a machine whose disk is full never damages what lies in a volume."""
        more = size - (image.stat().st_size if image.exists() else 0)
        free = shutil.disk_usage(self.folder).free - SPARE
        if more > free:
            raise NoRoom(f"The volume needs {more >> 20} MB, and the machine has {max(0, free) >> 20} MB of disk free.")
        with image.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        image.chmod(0o600)

    def _grow(self, name: str, size_mb: int, reserved: bool) -> None:
        # Not while it is mounted: that wants a capability which the agent does not have.
        image = self._image(name)
        if os.path.ismount(self.folder / name):
            mounting.run("umount", str(self.folder / name))
        self._until_free(name)
        self._size(image, max(size_mb << 20, image.stat().st_size), reserved)
        checked = subprocess.run(
            ["e2fsck", "-f", "-p", str(image)], capture_output=True, text=True, check=False, timeout=CHECK_TIMEOUT
        )
        if checked.returncode > MENDED:
            raise OSError(f"The volume {name} is damaged: {checked.stdout}{checked.stderr}")
        mounting.run("resize2fs", str(image), timeout=CHECK_TIMEOUT)

    def _until_free(self, name: str) -> None:
        """Wait for a container that is ending: a change of what is in use would damage it."""
        deadline = time.monotonic() + FREE_SECONDS
        while mounting.run("losetup", "--associated", str(self._image(name))):
            if time.monotonic() > deadline:
                raise OSError(f"The volume {name} is still in use.")
            time.sleep(0.1)

    def _mount(self, name: str) -> None:
        # What has no room reserved gives back what it does not need any more.
        sparse = not self.memory.facts()["volumes"][name].get("reserved", True)
        mounting.mount(self._image(name), self.folder / name, discard=sparse)
