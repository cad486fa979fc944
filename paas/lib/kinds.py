"""Loads the class that a table of kinds names, so that a seam never imports the kinds it does not use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load(table: Mapping[str, str], kind: str) -> Any:
    """Return the class at ``table[kind]`` ("package.module.Class"); raise ``LookupError`` naming what exists."""
    if kind not in table:
        raise LookupError(f"There is no kind {kind!r}; there are: {', '.join(sorted(table))}.")
    module, _, name = table[kind].rpartition(".")
    return getattr(import_module(module), name)
