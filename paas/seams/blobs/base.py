"""The blob store's contract: named, immutable byte strings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Blob:
    """What is known of one stored blob; ``sha256`` is lower-case hex, ``size`` is in bytes."""

    key: str
    size: int
    sha256: str
    stored_at: datetime


class BlobNotFound(LookupError):
    """No blob has that key."""


class Blobs(ABC):
    """Keys are relative POSIX paths of ``[a-z0-9._/-]``, never empty, never with ``..``."""

    @abstractmethod
    def put(self, key: str, stream: BinaryIO) -> Blob:
        """Store the stream whole under ``key`` (replacing what was there at once), or store nothing."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Return a readable binary stream that the caller closes; raise ``BlobNotFound``."""

    @abstractmethod
    def stat(self, key: str) -> Blob:
        """Return what is known of the blob; raise ``BlobNotFound``."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the blob; silent where there is none."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Blob]:
        """Yield blobs whose key starts with ``prefix``, in key order."""

    @abstractmethod
    def local(self, key: str) -> AbstractContextManager[Path]:
        """Give a read-only local file with the blob's bytes for the length of the ``with`` block."""
