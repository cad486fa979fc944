"""Writes the record: audit events and usage events, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from accounts import origin
from accounts.models import AuditEvent, UsageEvent, User
from paas.lib.text import public

HIDDEN = "[PRIVATE DATA HIDDEN]"
METADATA = ("labels", "annotations")
# Fields whose values are never told; what they are called inside (the names of variables) is.
SECRET = frozenset(
    {
        "command", "commands", "credentials", "digest", "environment", "parameters", "password", "route_service_url",
        "secret", "syslog_drain_url", "token", "variables",
    }
)  # fmt: skip


def record(
    actor: User,
    type: str,
    target: Any,
    *,
    space: Any = None,
    organization: Any = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **data: Any,
) -> AuditEvent:
    """Record that ``actor`` did ``type`` ("audit.app.update") to ``target`` (a resource with guid and name).

    The space and organization are the target's own unless given. What differs between ``before`` and ``after`` is
    kept as ``changes``; of what was made only the one is given, of what is gone only the other. ``data`` is what else
    a reader should know, and never holds a secret.
    """
    space = space if space is not None else getattr(target, "space", None)
    organization = (
        organization
        if organization is not None
        else (space.organization if space else getattr(target, "organization", None))
    )
    if before is not None or after is not None:
        data["changes"] = changed(before or {}, after or {})
    here = origin.current()
    return AuditEvent.objects.create(
        type=type,
        door=here.door,
        address=here.address,
        via=(actor.authority.via or here.via)[:255],
        actor_guid=actor.guid,
        actor_type="user" if actor.kind == User.Kind.PERSON else actor.kind,
        actor_name=actor.username,
        target_guid=target.guid,
        target_type=type.removeprefix("audit.").split(".")[0],
        target_name=str(getattr(target, "name", "") or getattr(target, "username", "") or "")[:255],
        space_guid=space.guid if space else "",
        space_name=space.name if space else "",
        organization_guid=organization.guid if organization else "",
        organization_name=organization.name if organization else "",
        data=data,
    )


def state(row: Any, fields: Iterable[str] = ()) -> dict[str, Any]:
    """Return what those fields of a row hold, and its labels and annotations: take it before a change, and after."""
    described = METADATA if hasattr(row, "labels") else ()
    return {name: getattr(row, name) for name in (*fields, *described)}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return ``{"memory_mb": [256, 512]}`` for what differs; secrets are masked, and empty is the same as not there.

    Of what holds pairs (labels, variables) each is told on its own: ``{"labels.env": [null, "test"]}``.
    """
    was, now = _flat(before), _flat(after)
    return {
        name: [_told(name, was.get(name)), _told(name, now.get(name))]
        for name in {**was, **now}
        if was.get(name) != now.get(name)
    }


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not empty, with pairs in place of what holds pairs."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        flat |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, Mapping) else {name: value}
    return {name: value for name, value in flat.items() if value not in (None, "", [], ())}


def _told(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.partition(".")[0] in SECRET:
        return HIDDEN
    if isinstance(value, str):
        return public(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_told("", each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value.isoformat() if isinstance(value, datetime) else value


def usage(kind: str, state: str, resource: Any, *, space: Any, **fields: Any) -> UsageEvent:
    """Record a change in consumption of ``resource`` (app, build, task or service) in ``space``."""
    return UsageEvent.objects.create(
        kind=kind,
        state=state,
        resource_guid=resource.guid,
        resource_name=str(getattr(resource, "name", "")),
        space_guid=space.guid,
        space_name=space.name,
        organization_guid=space.organization.guid,
        organization_name=space.organization.name,
        **fields,
    )
