"""Finds lines in a segment by their time, and walks them in both directions, without reading the whole file."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Data = mmap.mmap | bytes
HEADER = ord("#")


@contextmanager
def mapped(path: Path, size: int) -> Iterator[Data]:
    """Give the first ``size`` bytes of a file; empty where it is empty, or was trimmed away meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield b""
        return
    with file:
        if size == 0:
            yield b""
            return
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            yield data


def first_at_least(data: Data, size: int, moment: int) -> int:
    """Return where the first line with a time of at least ``moment`` begins (or headers right before it)."""
    low, high = 0, min(size, len(data))
    while low < high:
        start = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
        line = start
        while line < high and data[line] == HEADER:
            line = data.find(b"\n", line, high) + 1 or high
        if line >= high or int(data[line : line + 19]) >= moment:
            high = start
        else:
            low = data.find(b"\n", line, high) + 1 or high
    return low


def forwards(data: Data, low: int, high: int) -> Iterator[bytes]:
    high = min(high, len(data))
    while low < high:
        end = data.find(b"\n", low, high)
        if data[low] != HEADER:
            yield data[low:end]
        low = end + 1


def backwards(data: Data, low: int, high: int) -> Iterator[bytes]:
    high = min(high, len(data))
    while low < high:
        start = data.rfind(b"\n", low, high - 1) + 1 or low
        if data[start] != HEADER:
            yield data[start : high - 1]
        high = start
