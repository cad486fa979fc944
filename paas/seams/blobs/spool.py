"""A folder of files in the making: what is half written, and what must not vanish while it is read."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

CHUNK = 1 << 20  # bytes
_ABANDONED = 24 * 3600  # seconds after which nobody can still be at work on a file


@dataclass(frozen=True)
class Spooled:
    """A whole file on the disk: synced, its digest known, not yet anybody's."""

    path: Path
    size: int
    sha256: str


class Spool:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    @contextmanager
    def receive(self, stream: BinaryIO) -> Iterator[Spooled]:
        """Copy the stream into a file of its own, which is gone at the end unless it was renamed away."""
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                digest = hashlib.sha256()
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    handle.write(chunk)
                size = handle.tell()
                handle.flush()
                os.fchmod(handle.fileno(), 0o444)
                os.fsync(handle.fileno())
            yield Spooled(path=Path(name), size=size, sha256=digest.hexdigest())
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def hold(self, path: Path) -> Iterator[Path]:
        """Give another name to a file, so that it stays when the first name goes; raise ``FileNotFoundError``."""
        held = self._folder / uuid4().hex
        held.hardlink_to(path)
        try:
            yield held
        finally:
            held.unlink()

    def _sweep(self) -> None:
        """Remove what a killed process left behind."""
        for path in self._folder.iterdir():
            try:
                if path.stat().st_ctime < time.time() - _ABANDONED:
                    path.unlink()
            except FileNotFoundError:
                continue  # its owner was faster


def sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
