"""Whole files that are also kept elsewhere, at most so many bytes of them, the longest unused going first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from paas.seams.blobs.spool import Spool, Spooled


class Cache:
    """Files by their SHA-256, shared by any number of processes; one in use stays readable when it is evicted."""

    def __init__(self, folder: Path, *, limit: int, spool: Spool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._spool = spool

    @contextmanager
    def hold(self, digest: str, *, fetch: Callable[[], AbstractContextManager[Spooled]]) -> Iterator[Path]:
        """Give the file, fetched unless it is here, for the length of the ``with`` block."""
        with ExitStack() as stack:
            try:
                held = stack.enter_context(self._spool.hold(self._folder / digest))
                os.utime(held)
            except FileNotFoundError:
                spooled = stack.enter_context(fetch())
                held = stack.enter_context(self._spool.hold(spooled.path))
                spooled.path.rename(self._folder / spooled.sha256)
                self._evict()
            yield held

    def _evict(self) -> None:
        files = sorted(self._folder.iterdir(), key=_last_used, reverse=True)
        total = 0
        for path in files:
            with suppress(FileNotFoundError):
                total += path.stat().st_size
                if total > self._limit:
                    path.unlink()


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # evicted by another process meanwhile
