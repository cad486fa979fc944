"""What answers are made of: the parts that every v3 resource has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest


def origin(request: Any) -> str:
    """Return scheme, host and port as the client typed them, so that every link works from where it stands.

    Kept with the request: a page has thousands of links, and each look at the host checks it again.
    """
    http: HttpRequest = getattr(request, "_request", request)
    if "paas.origin" not in http.META:
        http.META["paas.origin"] = f"{http.scheme}://{http.get_host()}"
    found: str = http.META["paas.origin"]
    return found


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with whole seconds: 2016-03-18T23:26:46Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def link(request: Any, path: str, method: str = "") -> dict[str, str]:
    return {"href": f"{origin(request)}{path}"} | ({"method": method} if method else {})


def to_one(guid: str | None) -> dict[str, Any]:
    return {"data": {"guid": guid} if guid else None}


def to_many(guids: Iterable[str]) -> dict[str, Any]:
    return {"data": [{"guid": guid} for guid in guids]}


def metadata(resource: Any) -> dict[str, Any]:
    return {"labels": resource.labels, "annotations": resource.annotations}


def base(resource: Any, **fields: Any) -> dict[str, Any]:
    """Return guid and timestamps, then the fields given, in that order."""
    return {
        "guid": resource.guid,
        "created_at": stamp(resource.created_at),
        "updated_at": stamp(resource.updated_at),
        **fields,
    }
