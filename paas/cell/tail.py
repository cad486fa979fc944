"""Follows one rotating file by inode and offset, and gives whole lines of it: nothing twice, nothing left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .position import SAMPLE, Position, sample

CHUNK = 256 << 10


class Tail:
    """Reads ``path`` and, after rotations, ``path.1``, ``path.2``... in their order.

    ``take`` moves on; ``back`` returns to a position (after what was taken could not be stored).
    """

    def __init__(self, path: Path, position: Position | None, *, backlog: bool = True) -> None:
        self.path = path
        self.file = -1
        self.offset = self.inode = self.check = 0
        self.backlog = backlog  # a file that was never read is read from its beginning, rotated ones included
        if position:
            self.back(position)

    def position(self) -> Position:
        return Position(self.inode, self.offset, self.check)

    def locate(self, back: int) -> Position:
        """Return the position so many bytes before where the reading stands, in the same file."""
        return Position(self.inode, self.offset - back, sample(self.file, self.offset - back))

    def back(self, position: Position) -> None:
        self.close()
        for path in self._generations():
            file = _open(path)
            if file >= 0 and position.fits(file):
                self.file, self.inode, self.offset, self.check = file, *position
                return
            if file >= 0:
                os.close(file)

    def take(self) -> tuple[bytes, bool]:
        """Return whole lines (or nothing), and whether there may be more at once."""
        if self.file < 0 and not self._start():
            return b"", False
        taken = self._read()
        if taken:
            return taken, len(taken) > CHUNK // 2
        if not self._rotated():
            return b"", False
        # What was written between the last read and the rotation is still in the old file.
        if taken := self._read():
            return taken, True
        return b"", self._next()

    def between(self, begin: Position) -> Iterator[bytes]:
        """Yield chunks of whole lines from a position up to where the reading stands now, over rotations."""
        again = Tail(self.path, begin)
        while again.file >= 0 and (again.inode != self.inode or again.offset < self.offset):
            chunk, more = again.take()
            if not chunk and not more:
                break
            beyond = again.offset - self.offset if again.inode == self.inode else 0
            yield chunk[: len(chunk) - beyond] if beyond > 0 else chunk
        again.close()

    def inodes(self) -> set[int]:
        return {_inode(path) for path in self._generations()} - {0}

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def _read(self) -> bytes:
        size = CHUNK
        chunk = os.pread(self.file, size, self.offset)
        while len(chunk) == size and b"\n" not in chunk:
            size *= 4
            chunk = os.pread(self.file, size, self.offset)
        taken = chunk[: chunk.rfind(b"\n") + 1]
        if taken:
            self.offset += len(taken)
            if self.offset - len(taken) < SAMPLE:
                self.check = sample(self.file, self.offset)
        return taken

    def _start(self) -> bool:
        generations = self._generations()
        return any(self._enter(path) for path in (generations if self.backlog else generations[-1:]))

    def _next(self) -> bool:
        """Go on to the file that is one newer than the one read to its end (or the oldest, where that is gone)."""
        generations = self._generations()
        inodes = [_inode(path) for path in generations]
        after = inodes.index(self.inode) + 1 if self.inode in inodes else 0
        return any(self._enter(path) for path in generations[after:])

    def _enter(self, path: Path) -> bool:
        file = _open(path)
        if file < 0:
            return False
        self.close()
        self.file, self.inode, self.offset, self.check = file, os.fstat(file).st_ino, 0, 0
        return True

    def _rotated(self) -> bool:
        inode = _inode(self.path)
        return inode != 0 and inode != self.inode

    def _generations(self) -> list[Path]:
        """Return the files that exist, oldest first."""
        older = sorted(self.path.parent.glob(f"{self.path.name}.[0-9]*"), key=lambda path: -int(path.suffix[1:]))
        return [*older, self.path]


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return -1


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0
