"""Passwords that are never stored: they follow from the platform's keys and a guid, so that a call can be made again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

BYTES = 24


def password(key: str, purpose: str, guid: str) -> str:
    """Return 32 characters that are safe in a URI."""
    digest = hmac.new(key.encode(), f"paas-service:{purpose}:{guid}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:BYTES]).decode()


def passwords(keys: Sequence[str], purpose: str, guid: str) -> tuple[str, ...]:
    """Return one for each key, the newest first."""
    return tuple(password(key, purpose, guid) for key in keys)
