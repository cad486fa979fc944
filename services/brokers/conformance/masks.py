"""What of a call and its answer may be shown: nothing that opens a door."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from paas.lib.text import public, storable

HIDDEN = "[hidden]"
WHOLE = frozenset({"credentials", "parameters", "syslog_drain_url", "route_service_url", "volume_mounts", "endpoints"})
SECRET = ("password", "secret", "token", "key")  # parts of names whose values are never shown
LONGEST = 4000  # characters of a body


def shown(body: bytes, *, secrets: Iterable[str], opaque: bool = False) -> str:
    """Return a body as it may be shown. ``opaque``: what is not JSON may hold credentials, too."""
    try:
        told = json.dumps(masked(json.loads(body)), indent=2, ensure_ascii=False) if body.strip() else ""
    except (ValueError, RecursionError):
        told = f"[{len(body)} bytes that are not JSON]" if opaque else body[:LONGEST].decode(errors="replace")
    for secret in secrets:
        told = told.replace(secret, HIDDEN) if secret else told
    told = storable(told)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}\n... and {len(told) - LONGEST} characters more"


def masked(value: Any, *, whole: bool = False) -> Any:
    """Return the value with what is secret in it hidden; ``whole`` hides every text and number."""
    if isinstance(value, dict):
        return {key: masked(each, whole=whole or _is_secret(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, whole=whole) for each in value]
    if whole and value not in (None, "", True, False):
        return HIDDEN
    return public(value) if isinstance(value, str) else value


def _is_secret(name: str) -> bool:
    return name in WHOLE or any(part in name.lower() for part in SECRET)
