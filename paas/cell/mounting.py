"""Files with a file system in them: mounted through a loop device, and taken away again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

OPTIONS = "loop,nosuid,nodev,noatime"


def mount(image: Path, point: Path, *, discard: bool = False) -> None:
    """Mount the file unless it is mounted; ``discard`` gives freed blocks back to the machine."""
    point.mkdir(exist_ok=True, mode=0o711)
    if not os.path.ismount(point):
        options = f"{OPTIONS},discard" if discard else OPTIONS
        run("mount", "-t", "ext4", "-o", options, str(image), str(point))


def unmount(point: Path) -> None:
    """Unmount at once; what still has a file of it open keeps it until it ends."""
    while os.path.ismount(point):
        run("umount", "--lazy", str(point))


def discard(image: Path, point: Path) -> None:
    unmount(point)
    if point.exists():
        shutil.rmtree(point)
    image.unlink(missing_ok=True)


def run(*command: str, timeout: float = 60) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout).stdout
