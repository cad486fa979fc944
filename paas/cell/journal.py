"""One log: lines in segment files, each batch under a header that makes it, and where it was read from, one unit.

A segment is named after its first line's time. A batch is ``#<bytes> <marks>\\n`` and then lines
``<nanoseconds, 19 digits>\\t<source type>\\t<instance>\\t<O|E>\\t<text>\\n``. A batch that was cut off by a crash is
taken back when the journal is opened, and since its marks go with it, its lines are read again from where they came.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .search import backwards, first_at_least, forwards, mapped

Entry = tuple[int, bytes]  # nanoseconds, and the line from its first tab on
MOST_BYTES = 8 << 20  # of text in one answer
MOST_SCANNED = 64 << 20


@dataclass
class Segment:
    path: Path
    first: int
    size: int


class Journal:
    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.segment_bytes = min(max(max_bytes // 8, 64 << 10), 4 << 20)
        self.lock = threading.Lock()
        self.last = 0
        self.segments = [_segment(path) for path in sorted(folder.glob("*.log"))]
        if self.segments:
            self._mend(self.segments[-1])

    def append(self, entries: Sequence[Entry], marks: bytes = b"") -> None:
        """Add lines, each with a time of its own that is later than all before; raise ``OSError`` on a full disk."""
        now = time.time_ns()
        with self.lock:
            last, parts = self.last, []
            for moment, rest in entries:
                last = max(min(moment or now, now), last + 1)
                parts.append(b"%019d%b\n" % (last, rest))
            data = b"".join(parts)
            self._write(b"#%d %b\n%b" % (len(data), marks, data), first=int(data[:19]) if data else last)
            self.last = last

    def read(
        self,
        *,
        start: int,
        end: int | None,
        limit: int,
        descending: bool = False,
        types: Collection[bytes] = (),
        instance: bytes = b"",
    ) -> list[list[bytes]]:
        """Return lines as lists of five fields with ``start <= time < end``; fewer than ``limit`` if they are huge."""
        with self.lock:
            if start > self.last:
                return []
            segments = [(each.path, each.first, each.size) for each in self.segments]
        found: list[list[bytes]] = []
        room, scan = MOST_BYTES, MOST_SCANNED
        for position in reversed(range(len(segments))) if descending else range(len(segments)):
            path, first, size = segments[position]
            following = segments[position + 1][1] if position + 1 < len(segments) else None
            if (end is not None and first >= end) or (following is not None and following <= start):
                continue
            for line in _lines(path, size, start, end, descending):
                scan -= len(line)
                fields = line.split(b"\t", 4)
                if (not types or fields[1] in types) and (not instance or fields[2] == instance):
                    found.append(fields)
                    room -= len(line)
                if len(found) >= limit or room < 0 or scan < 0:
                    return found
        return found

    def marks(self, *, after: str = "", offset: int = 0) -> Iterator[bytes]:
        """Yield the marks of every batch, oldest first, from an ``offset`` in the segment named ``after``."""
        for segment in list(self.segments):
            if segment.path.name >= after:
                yield from _marks(segment, offset if segment.path.name == after else 0)

    def end(self) -> tuple[str, int]:
        """Return the newest segment's name and size: what ``marks`` may begin at later."""
        with self.lock:
            return (self.segments[-1].path.name, self.segments[-1].size) if self.segments else ("", 0)

    def trim(self, *, oldest: float) -> None:
        """Remove whole segments that were last written to before ``oldest``."""
        with self.lock:
            while self.segments and _written(self.segments[0]) < oldest:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.segments.pop(0).path.unlink(missing_ok=True)

    def _write(self, batch: bytes, *, first: int) -> None:
        if not self.segments or self.segments[-1].size >= self.segment_bytes:
            self.folder.mkdir(parents=True, exist_ok=True)
            while sum(each.size for each in self.segments) > self.max_bytes - self.segment_bytes:
                self._drop_oldest()
            self.segments.append(Segment(self.folder / f"{first:019d}.log", first, 0))
        segment = self.segments[-1]
        file = os.open(segment.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            written = 0
            while written < len(batch):
                written += os.pwrite(file, batch[written:], segment.size + written)
        except OSError:
            os.ftruncate(file, segment.size)
            raise
        finally:
            os.close(file)
        segment.size += len(batch)

    def _mend(self, segment: Segment) -> None:
        """Cut off a batch that was not written whole, and learn the latest time."""
        whole = max((end for end, _ in _batches(segment, 0)), default=0)
        if whole < segment.size:
            os.truncate(segment.path, whole)
            segment.size = whole
        self.last = segment.first - 1
        with mapped(segment.path, whole) as data:
            for line in backwards(data, 0, whole):
                self.last = int(line[:19])
                break


def _segment(path: Path) -> Segment:
    return Segment(path, int(path.stem), path.stat().st_size)


def _written(segment: Segment) -> float:
    try:
        return segment.path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _batches(segment: Segment, offset: int) -> Iterator[tuple[int, bytes]]:
    """Yield (where it ends, its marks) for each whole batch, reading headers only."""
    with segment.path.open("rb") as file:
        file.seek(offset)
        while header := file.readline():
            size, _, marks = header[1:].partition(b" ")
            if header[:1] != b"#" or header[-1:] != b"\n" or not size.isdigit():
                return
            offset = file.tell() + int(size)
            if offset > segment.size:
                return
            yield offset, marks.rstrip(b"\n")
            file.seek(offset)


def _marks(segment: Segment, offset: int) -> Iterator[bytes]:
    for _, marks in _batches(segment, offset):
        if marks:
            yield marks


def _lines(path: Path, size: int, start: int, end: int | None, descending: bool) -> Iterator[bytes]:
    with mapped(path, size) as data:
        low = first_at_least(data, size, start)
        high = size if end is None else first_at_least(data, size, end)
        yield from backwards(data, low, high) if descending else forwards(data, low, high)
