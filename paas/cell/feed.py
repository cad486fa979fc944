"""The way of one container's output into its log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from .journal import Entry
from .logs import prefix
from .position import Position
from .ratelimit import RateLimit
from .records import Joiner, Part
from .tail import Tail

STREAMS = {b"o": "stdout", b"e": "stderr"}
LAST_LINES = 60
LAST_LINE_BYTES = 1000


class Feed:
    """``take`` reads on; then either ``commit`` (it is stored) or ``back`` (it is not, so it is read again)."""

    def __init__(self, container: str, path: Path, labels: Mapping[str, str], mark: bytes | None) -> None:
        self.key = container[:12].encode()
        self.source = labels["paas.app"]
        kind, index = labels["paas.log_source"], labels["paas.index"]
        self.joiner = Joiner({"stdout": prefix(kind, index, "OUT"), "stderr": prefix(kind, index, "ERR")})
        self.limit = RateLimit(int(labels["paas.log_rate"]), prefix("LGR", index, "OUT"))
        self.latest: deque[Entry] = deque(maxlen=LAST_LINES)
        self.idle = False
        self.bytes, self.bytes_since, self.rate = 0, time.monotonic(), 0
        own, *begun = mark.split(b",") if mark else [b""]
        self.tail = Tail(path, Position.decode(own) if own else None)
        for each in begun:
            self._rejoin(STREAMS[each[:1]], Position.decode(each[2:]))
        self.commit()

    def take(self) -> tuple[list[Entry], bool]:
        """Return new lines, and whether there may be more at once."""
        chunk, more = self.tail.take()
        if chunk:
            entries = self.limit.admit(self.joiner.join(chunk, lambda at: self.tail.locate(len(chunk) - at)))
        else:
            entries = self.joiner.flush() + self.limit.told(time.time_ns())
        self.idle = not chunk and not more
        self._count(sum(len(rest) for _, rest in entries))
        return entries, more

    def commit(self, entries: list[Entry] | None = None) -> None:
        self.stored: tuple[Position, dict[str, Part]] = (self.tail.position(), self.joiner.parts)
        for at, rest in (entries or ())[-LAST_LINES:]:
            self.latest.append((at, rest[:LAST_LINE_BYTES]))

    def back(self) -> None:
        position, self.joiner.parts = self.stored
        self.tail.back(position)

    def mark(self) -> bytes:
        """Return where the reading stands, and where each unfinished line began."""
        begun = [b",%b@%b" % (stream[3:4].encode(), part.begins.encode()) for stream, part in self.joiner.parts.items()]
        return self.key + b"=" + self.tail.position().encode() + b"".join(begun)

    def last_lines(self, before: int, count: int) -> list[str]:
        """Return the latest lines written up to a moment."""
        found = [rest.split(b"\t", 4)[4].decode(errors="replace") for at, rest in list(self.latest) if at <= before]
        return found[-count:]

    def _rejoin(self, stream: str, begins: Position) -> None:
        """Read the beginning of an unfinished line again, after a restart."""
        for chunk in self.tail.between(begins):
            self.joiner.join(chunk, lambda _: begins, only=stream)

    def _count(self, size: int) -> None:
        self.bytes += size
        if (passed := time.monotonic() - self.bytes_since) >= 2:
            self.rate = int(self.bytes / passed)
            self.bytes, self.bytes_since = 0, time.monotonic()
