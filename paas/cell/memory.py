"""What the agent must still know after a restart or a boot, in one file that is replaced whole."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EMPTY: dict[str, Any] = {"disks": {}, "volumes": {}, "reaches": {}, "ending": {}, "instances": {}, "last_event": 0}


class Memory:
    """A dict of plain values. Change it inside ``with memory.change() as facts``; read it through ``facts()``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.unsaved = False
        stored = json.loads(path.read_text()) if path.exists() else {}
        self._facts: dict[str, Any] = {**json.loads(json.dumps(EMPTY)), **stored}

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        with self.lock:
            yield self._facts
            self.unsaved = True
            self.save()

    def facts(self) -> dict[str, Any]:
        """Return a copy, so that a reader sees no half change."""
        with self.lock:
            copy: dict[str, Any] = json.loads(json.dumps(self._facts))
            return copy

    def save(self) -> bool:
        """Write what is not written yet; False where the disk is full, and then it is tried again later."""
        with self.lock:
            if self.unsaved:
                self.unsaved = not replace_file(self.path, json.dumps(self._facts))
            return not self.unsaved


def replace_file(path: Path, text: str) -> bool:
    """Put the text in the file's place at once; False, and the old text stays, where the disk refuses."""
    new = path.with_suffix(".new")
    try:
        with new.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        # A full disk ends neither apps nor agent: memory holds the facts, and /health tells of it.
        new.unlink(missing_ok=True)
        return False
    return True
