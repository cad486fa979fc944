"""Turns the engine's JSON records into lines: long lines rejoined per stream, unended ones closed when their process ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from .journal import Entry
from .position import Position

LONGEST = 2 << 20  # bytes of one line; a longer one is cut into several
RECORD_END = "\n"


class Part(NamedTuple):
    """The beginning of a line whose end was not seen; ``seen`` is the time of its latest piece."""

    begins: Position
    at: int
    seen: int
    pieces: tuple[bytes, ...]
    size: int


class Moments:
    """Parses the engine's times ("2026-01-02T03:04:05.123456789Z"), remembering the last second."""

    def __init__(self) -> None:
        self.text, self.second = "", 0

    def parse(self, text: str) -> int:
        if text[:19] != self.text:
            self.text = text[:19]
            self.second = int(datetime.fromisoformat(self.text).replace(tzinfo=UTC).timestamp()) * 10**9
        return self.second + int(text[20:-1].ljust(9, "0") if text[19:20] == "." else 0)


moments = Moments()


class Joiner:
    """Keeps what is unfinished of each stream. ``parts`` is replaced, never changed, so that it can be put back."""

    def __init__(self, prefixes: dict[str, bytes]) -> None:
        self.prefixes = prefixes
        self.parts: dict[str, Part] = {}
        self.ended = 0  # when the process ended last; a line does not go on beyond that

    def join(self, chunk: bytes, locate: Callable[[int], Position], *, only: str = "") -> list[Entry]:
        """Return the lines that end in the chunk (of one stream ``only``); ``locate`` tells where its nth byte is."""
        found: list[Entry] = []
        records = chunk.split(b"\n")[:-1]
        for number, record in enumerate(records):
            try:
                each = json.loads(record)
                text, stream, at = each["log"], each["stream"], moments.parse(each["time"])
            except (ValueError, KeyError):
                continue  # torn by a full disk while the engine wrote it: nothing of it can be told
            if only and stream != only:
                continue
            if text[-1:] == RECORD_END and stream not in self.parts:
                found.append((at, self.prefixes[stream] + text[:-1].encode(errors="replace")))
                continue
            if stream not in self.parts:
                begins = locate(sum(len(each) + 1 for each in records[:number]))
                self._begin(stream, begins, at)
            self._add(stream, at, text, found)
        return found

    def flush(self) -> list[Entry]:
        """Give up the unfinished lines that the process's end left behind."""
        found: list[Entry] = []
        for stream, part in list(self.parts.items()):
            if part.seen <= self.ended:
                self._finish(stream, part, found)
        return found

    def _begin(self, stream: str, begins: Position, at: int) -> None:
        self.parts = {**self.parts, stream: Part(begins, at, at, (), 0)}

    def _add(self, stream: str, at: int, text: str, found: list[Entry]) -> None:
        part = self.parts[stream]
        if part.pieces and part.seen <= self.ended < at:
            self._finish(stream, part, found)
            part = Part(part.begins, at, at, (), 0)
        piece = text.removesuffix(RECORD_END).encode(errors="replace")
        part = part._replace(seen=at, pieces=(*part.pieces, piece), size=part.size + len(piece))
        if text[-1:] == RECORD_END or part.size >= LONGEST:
            self._finish(stream, part, found)
        else:
            self.parts = {**self.parts, stream: part}

    def _finish(self, stream: str, part: Part, found: list[Entry]) -> None:
        found.append((part.at, self.prefixes[stream] + b"".join(part.pieces)))
        self.parts = {key: value for key, value in self.parts.items() if key != stream}
