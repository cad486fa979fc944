"""Turns what a build container writes into whole lines, and picks the runner's messages out of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from paas.seams.builders.base import Line
from paas.seams.builders.lifecycle.voice import MARK

LONGEST = 1 << 20  # bytes; what is longer goes on in the next line
Stream = Literal["OUT", "ERR"]


class Output:
    """One stream of a container, fed as it comes, in pieces of any size."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Stream = stream
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Line | dict[str, Any]]:
        """Yield the lines and messages that are whole now."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n") if b"\n" in data else [self._rest]
        self._rest = bytearray(rest)
        for line in lines:
            yield from self._line(bytes(line))
        while len(self._rest) > LONGEST:
            yield from self._line(bytes(self._rest[:LONGEST]))
            del self._rest[:LONGEST]

    def end(self) -> Iterator[Line | dict[str, Any]]:
        """Yield what was left without an end of line."""
        if self._rest:
            yield from self._line(bytes(self._rest))
            self._rest.clear()

    def _line(self, line: bytes) -> Iterator[Line | dict[str, Any]]:
        text, mark, message = line.decode(errors="replace").partition(MARK)
        # A program that draws its progress writes over its line: what it wrote last is what counts.
        text = text.rstrip("\r").rpartition("\r")[2]
        if text or not mark:
            for start in range(0, len(text) or 1, LONGEST):
                yield Line(text[start : start + LONGEST], self._stream)
        if mark:
            yield _message(message)


def _message(text: str) -> dict[str, Any]:
    """Read a message; an app can write one too, so that nothing in it is trusted to be there."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
