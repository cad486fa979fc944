"""Ends a build that was cancelled or that took too long, wherever it is at that moment."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import BinaryIO

from paas.seams.builders.base import BuildFailed

PAUSE = 0.5  # seconds between two questions whether the build is cancelled


class Watch:
    """``check`` costs nothing when called often, and raises ``BuildFailed`` when the build must end."""

    def __init__(self, cancelled: Callable[[], bool], *, timeout: int) -> None:
        self._cancelled, self._timeout = cancelled, timeout
        self._deadline = time.monotonic() + timeout
        self._next = 0.0

    def check(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PAUSE
        if self._cancelled():
            raise BuildFailed(
                "StagingCancelled", "The build was cancelled, and nothing of it is kept. Push again to build."
            )
        if now > self._deadline:
            raise BuildFailed(
                "StagingTimeExpired",
                f"The build took longer than the {self._timeout} seconds that it may take. The last step in the log "
                "shows what was slow; fewer or prebuilt dependencies help. Push again: what is cached is not "
                "fetched twice.",
            )


class Watched(io.RawIOBase):
    """A stream that is watched while it is read, for copies that can take longer than a question may wait."""

    def __init__(self, source: BinaryIO, watch: Watch) -> None:
        self._source, self._watch = source, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._watch.check()
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def watched(source: BinaryIO, watch: Watch) -> BinaryIO:
    return io.BufferedReader(Watched(source, watch), 1 << 20)
