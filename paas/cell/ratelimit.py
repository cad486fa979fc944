"""Holds an instance to its log rate, and says how much was dropped."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .journal import Entry

SECOND = 10**9


class RateLimit:
    """A bucket of one second's bytes. A line that finds anything in it passes, and may leave a debt."""

    def __init__(self, rate: int, prefix: bytes) -> None:
        self.rate, self.prefix = rate, prefix
        self.left, self.at = float(rate), 0
        self.lines = self.bytes = self.since = 0  # what was dropped, and from when

    def admit(self, entries: Sequence[Entry]) -> list[Entry]:
        if self.rate < 0:
            return list(entries)
        kept: list[Entry] = []
        for at, rest in entries:
            size = len(rest.split(b"\t", 4)[4])
            self.left = min(float(self.rate), self.left + max(0, at - self.at) * self.rate / SECOND)
            self.at = max(self.at, at)
            if self.left > 0:
                kept += self.told(at)
                kept.append((at, rest))
                self.left -= size
            else:
                self._drop(at, size)
        return kept + self.told(time.time_ns())

    def told(self, now: int) -> list[Entry]:
        """Return the line about what was dropped, once a second at most."""
        if not self.lines or now - self.since < SECOND:
            return []
        text = f"app instance exceeded log rate limit ({self.rate} bytes/sec): {self.lines} lines ({self.bytes} bytes) were dropped"
        self.lines = self.bytes = 0
        return [(now, self.prefix + text.encode())]

    def _drop(self, at: int, size: int) -> None:
        self.since = self.since if self.lines else at
        self.lines += 1
        self.bytes += size
