"""The spool of what instances did by themselves, kept for the control plane until it has time to read."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

KEPT_SECONDS = 2 * 86400
KEPT = 20_000
AT_ONCE = 500


class Happenings:
    """One JSON object a line; the numbers grow for ever, also when old lines are dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.places: list[tuple[int, int]] = []  # (number, offset in the file)
        self.size = 0
        self._scan()

    def add(self, happening: dict[str, Any]) -> None:
        """Keep it under the next number; raise ``OSError`` where the disk is full."""
        with self.lock:
            # Never below the clock, so that numbers grow even if the file was lost.
            number = max(self.places[-1][0] + 1 if self.places else 0, time.time_ns() // 10**6)
            line = json.dumps({**happening, "number": number}).encode() + b"\n"
            with self.path.open("ab") as file:
                try:
                    file.write(line)
                    file.flush()
                except OSError:
                    file.truncate(self.size)
                    raise
            self.places.append((number, self.size))
            self.size += len(line)

    def after(self, number: int) -> list[dict[str, Any]]:
        """Return the next ones, oldest first, some hundred at once."""
        with self.lock:
            wanted = [place for known, place in self.places if known > number][:AT_ONCE]
            if not wanted:
                return []
            with self.path.open("rb") as file:
                file.seek(wanted[0])
                return [json.loads(file.readline()) for _ in wanted]

    def trim(self) -> None:
        """Drop what is older than two days, but never the last one, whose number the next one follows."""
        oldest = (time.time() - KEPT_SECONDS) * 10**9
        with self.lock:
            if len(self.places) < 2:
                return
            with self.path.open("rb") as file:
                dropped = 0
                while dropped < len(self.places) - 1:
                    if json.loads(file.readline())["at"] >= oldest and len(self.places) - dropped <= KEPT:
                        break
                    dropped += 1
                if dropped:
                    file.seek(self.places[dropped][1])
                    self._keep(file)

    def _keep(self, rest: BinaryIO) -> None:
        new = self.path.with_suffix(".new")
        with new.open("wb") as file:
            shutil.copyfileobj(rest, file)
        new.replace(self.path)
        self._scan()

    def _scan(self) -> None:
        self.places, self.size = [], 0
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    self.places.append((json.loads(line)["number"], self.size))
                    self.size += len(line)
        with self.path.open("ab") as file:
            file.truncate(self.size)
