"""All logs of the machine: one journal for each app or build."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from .journal import Entry, Journal

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
STREAMS = {"OUT": b"O", "ERR": b"E"}


class Logs:
    def __init__(self, folder: Path, *, max_bytes: int, max_age: int) -> None:
        self.folder, self.max_bytes, self.max_age = folder, max_bytes, max_age
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.journals = {path.name: self._open(path.name) for path in folder.iterdir() if path.is_dir()}

    def journal(self, source: str) -> Journal:
        """Return the source's journal, which may be empty; raise ``ValueError`` for a name that is none."""
        if not NAME.fullmatch(source):
            raise ValueError(f"{source!r} cannot be the name of a log.")
        with self.lock:
            if source not in self.journals:
                self.journals[source] = self._open(source)
            return self.journals[source]

    def append(self, source: str, entries: Sequence[Entry], marks: bytes = b"") -> None:
        self.journal(source).append(entries, marks)

    def say(self, source: str, source_type: str, instance: str, text: str, *, stream: str = "OUT", at: int = 0) -> None:
        """Add one line of the platform's own; a full disk loses it, and nothing else."""
        try:
            self.append(source, [entry(at, source_type, instance, stream, text)])
        except OSError:
            return  # /health tells that the disk is full; the line is not worth stopping for

    def forget(self, source: str) -> None:
        journal = self.journal(source)
        with self.lock, journal.lock:
            self.journals.pop(source, None)
            journal.segments.clear()
            shutil.rmtree(journal.folder, ignore_errors=True)

    def trim(self) -> None:
        """Keep every log within its bytes and age."""
        oldest = time.time() - self.max_age
        for journal in self.all().values():
            journal.trim(oldest=oldest)

    def all(self) -> dict[str, Journal]:
        with self.lock:
            return dict(self.journals)

    def _open(self, source: str) -> Journal:
        return Journal(self.folder / source, max_bytes=self.max_bytes)


def prefix(source_type: str, instance: str, stream: str) -> bytes:
    """Return what stands between a line's time and its text."""
    words = [" ".join(each.split()).encode(errors="replace") for each in (source_type, instance)]
    return b"\t%b\t%b\t%b\t" % (*words, STREAMS[stream])


def entry(at: int, source_type: str, instance: str, stream: str, text: str) -> Entry:
    one_line = text.replace("\n", " ").encode(errors="replace")
    return at, prefix(source_type, instance, stream) + one_line


def as_json(lines: Iterable[list[bytes]]) -> list[list[object]]:
    """Return lines as [nanoseconds, source type, instance, "OUT" or "ERR", text]."""
    return [
        [int(at), kind.decode(), instance.decode(), "OUT" if stream == b"O" else "ERR", text.decode(errors="replace")]
        for at, kind, instance, stream, text in lines
    ]
