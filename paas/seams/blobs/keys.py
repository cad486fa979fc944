"""Which names a blob may have."""

from __future__ import annotations

import re

_KEY = re.compile(r"[a-z0-9._-]+(/[a-z0-9._-]+)*")
_LONGEST = 512


def check_key(key: str) -> str:
    """Return ``key``; raise ``ValueError`` where it could lead out of the store or be read in two ways."""
    if not _KEY.fullmatch(key) or len(key) > _LONGEST or any(part in (".", "..") for part in key.split("/")):
        raise ValueError(f"{key!r} is no blob key: use relative paths of at most {_LONGEST} characters [a-z0-9._/-].")
    return key


def check_prefix(prefix: str) -> str:
    """Return ``prefix``; raise ``ValueError`` where no key can start with it."""
    whole = f"{prefix}x" if not prefix or prefix.endswith("/") else prefix
    check_key(whole)
    return prefix
