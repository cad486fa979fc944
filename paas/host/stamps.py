"""Remembers what was made from what, so that a step whose inputs are unchanged is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path


def digest(*inputs: Path | str) -> str:
    """Return twenty hex digits that stand for texts and for the contents of files and folders."""
    found = hashlib.sha256()
    for given in inputs:
        if isinstance(given, str):
            found.update(f"\0text\0{given}".encode())
            continue
        for path in [given] if given.is_file() else sorted(path for path in given.rglob("*") if path.is_file()):
            name = path.name if path == given else str(path.relative_to(given))
            found.update(f"\0{name}\0".encode() + path.read_bytes())
    return found.hexdigest()[:20]


def make(stamp: Path, key: str, build: Callable[[], None]) -> bool:
    """Call ``build`` unless the stamp says that it ended well with this key; tell whether it was called."""
    if stamp.is_file() and stamp.read_text() == key:
        return False
    stamp.unlink(missing_ok=True)
    build()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    return True
