"""Blobs on a local disk.

A key is a folder, and its blob a file in it named ``=<sha256>``: one rename makes the bytes and their digest
visible together, and ``=``, which no key may hold, keeps the blob ``a`` apart from the blob ``a/b``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from paas.seams.blobs.base import Blob, BlobNotFound, Blobs
from paas.seams.blobs.keys import check_key, check_prefix
from paas.seams.blobs.spool import Spool, Spooled, sync

_MARK = "="


class DiskBlobs(Blobs):
    def __init__(self, *, root: Path) -> None:
        self._root = root
        self._spool = Spool(root / f"{_MARK}spool")

    def put(self, key: str, stream: BinaryIO) -> Blob:
        folder = self._root / check_key(key)
        with self._spool.receive(stream) as spooled:
            now = time.time_ns()
            os.utime(spooled.path, ns=(now, now))
            path = self._settle(spooled, folder)
        _remove_older(folder, path)
        return Blob(key=key, size=spooled.size, sha256=spooled.sha256, stored_at=_moment(now))

    def open(self, key: str) -> BinaryIO:
        while True:
            with suppress(FileNotFoundError):  # replaced since we looked: look again
                return self._path(key).open("rb")

    def stat(self, key: str) -> Blob:
        while True:
            with suppress(FileNotFoundError):
                return _describe(key, self._path(key))

    def delete(self, key: str) -> None:
        folder = self._root / check_key(key)
        for path in _versions(folder):
            path.unlink(missing_ok=True)
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:
                return  # other keys are below it
            folder = folder.parent

    def list(self, prefix: str = "") -> Iterator[Blob]:
        for key in sorted(self._keys(prefix)):
            with suppress(BlobNotFound):
                yield self.stat(key)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with ExitStack() as stack:
            held: Path | None = None
            while held is None:
                with suppress(FileNotFoundError):
                    held = stack.enter_context(self._spool.hold(self._path(key)))
            yield held

    def _settle(self, spooled: Spooled, folder: Path) -> Path:
        """Move the file to where readers see it."""
        path = folder / f"{_MARK}{spooled.sha256}"
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                spooled.path.rename(path)
                break
            except FileNotFoundError:
                continue  # the last blob in the folder was deleted just now, and the folder with it
        while folder != self._root.parent:
            sync(folder)
            folder = folder.parent
        return path

    def _path(self, key: str) -> Path:
        """Return the newest version's file; a second one is there while it is being replaced, or after a crash."""
        versions = _versions(self._root / check_key(key))
        if not versions:
            raise BlobNotFound(f"There is no blob {key}.")
        return max(versions, key=_age)

    def _keys(self, prefix: str) -> set[str]:
        start = self._root / check_prefix(prefix).rpartition("/")[0]
        found = (Path(folder) for folder, _, files in os.walk(start) if any(name.startswith(_MARK) for name in files))
        keys = (folder.relative_to(self._root).as_posix() for folder in found)
        return {key for key in keys if key.startswith(prefix) and not key.startswith(_MARK)}


def _remove_older(folder: Path, path: Path) -> None:
    """Remove what ``path`` replaced, but never what came after it."""
    with suppress(FileNotFoundError):
        mine = _age(path)
        for other in _versions(folder):
            if _age(other) < mine:
                other.unlink(missing_ok=True)


def _versions(folder: Path) -> list[Path]:
    try:
        return [folder / entry.name for entry in os.scandir(folder) if entry.name.startswith(_MARK) and entry.is_file()]
    except FileNotFoundError:
        return []


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _describe(key: str, path: Path) -> Blob:
    facts = path.stat()
    digest = path.name.removeprefix(_MARK)
    return Blob(key=key, size=facts.st_size, sha256=digest, stored_at=_moment(facts.st_mtime_ns))


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
