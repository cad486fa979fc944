"""Where in a rotating file the reading stands, in a form that survives restarts and is not fooled by a reused inode."""

from __future__ import annotations

import os
import zlib
from typing import NamedTuple

SAMPLE = 256


class Position(NamedTuple):
    """``check`` is a checksum of the file's first bytes (as many as were read, 256 at most)."""

    inode: int
    offset: int
    check: int

    def encode(self) -> bytes:
        return b"%d:%d:%d" % self

    @classmethod
    def decode(cls, text: bytes) -> Position:
        return cls(*(int(part) for part in text.split(b":")))

    def fits(self, file: int) -> bool:
        """Tell whether the open file is the one that was read."""
        seen = os.fstat(file)
        return seen.st_ino == self.inode and seen.st_size >= self.offset and sample(file, self.offset) == self.check


def sample(file: int, offset: int) -> int:
    return zlib.crc32(os.pread(file, min(offset, SAMPLE), 0))
