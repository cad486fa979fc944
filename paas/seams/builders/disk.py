"""The disk of one build: a file of a fixed size with a file system in it, so that a full disk is that build's alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from paas.seams.builders.base import BuildFailed

USER = 2000  # vcap, in every stack


class BuildDisk:
    """Mounted at ``path``: ``in`` is the builder's, ``home``, ``tmp`` and ``out`` are the build's."""

    def __init__(self, folder: Path, *, size_mb: int) -> None:
        # A name of its own: a builder that wakes late removes its own disk and not that of who took over.
        self._folder = folder / uuid.uuid4().hex[:8]
        self._size_mb = size_mb
        self.path = self._folder / "disk"

    def make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True)  # the environment is in it, and is no other user's business
        self.path.mkdir()
        image = self._folder / "image"
        with image.open("wb") as file:
            file.truncate(self._size_mb << 20)
        _run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", str(image))
        _run("mount", "-o", "loop,nosuid,nodev,noatime", str(image), str(self.path))
        image.unlink()  # the loop device keeps it: when the mount goes, the space is free, whatever happens to us
        for name, mode in (("home", 0o755), ("tmp", 0o700), ("out", 0o755)):
            (self.path / name).mkdir(mode=mode)
            os.chown(self.path / name, USER, USER)
        (self.path / "in").mkdir(mode=0o755)

    def is_full(self) -> bool:
        facts = os.statvfs(self.path)
        return facts.f_bavail * facts.f_frsize < 1 << 20 or facts.f_favail == 0

    def open_output(self, name: str) -> BinaryIO:
        """Open a file that the build left in ``out``; what the build names is not believed, links least of all."""
        folder = os.open(self.path / "out", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            raise _unreadable(name) from error
        finally:
            os.close(folder)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise _unreadable(name)
        return os.fdopen(file, "rb")

    def remove(self) -> None:
        remove_disks(self._folder)
        with suppress(OSError):  # another builder has begun the same build anew
            self._folder.parent.rmdir()


def remove_disks(folder: Path) -> None:
    """Unmount whatever is mounted below the folder and remove it; silent where there is nothing.

    Another builder may be removing the same disks at the same time.
    """
    for point in _mounted(folder):
        try:
            _run("umount", "--lazy", str(point))
        except OSError:
            if point in _mounted(folder):
                raise
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _mounted(folder: Path) -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return [point for point in points if folder.resolve() in point.parents]


def _unreadable(name: str) -> BuildFailed:
    return BuildFailed(
        "StagingError", f"The build's {name} cannot be read. A build script may have written over it: leave /out alone."
    )


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise OSError(f"`{' '.join(command)}` failed: {ended.stderr.strip()}")
