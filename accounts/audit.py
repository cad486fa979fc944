"""Writes the record: audit events and usage events, in the caller's transaction."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEvent, UsageEvent, User


def record(
    actor: User, type: str, target: Any, *, space: Any = None, organization: Any = None, **data: Any
) -> AuditEvent:
    """Record that ``actor`` did ``type`` ("audit.app.update") to ``target`` (a resource with guid and name).

    The space and organization are the target's own unless given; ``data`` is what changed, before and after, and
    never holds a secret.
    """
    space = space if space is not None else getattr(target, "space", None)
    organization = (
        organization
        if organization is not None
        else (space.organization if space else getattr(target, "organization", None))
    )
    return AuditEvent.objects.create(
        type=type,
        actor_guid=actor.guid,
        actor_type="user" if actor.kind == User.Kind.PERSON else actor.kind,
        actor_name=actor.username,
        target_guid=target.guid,
        target_type=type.split(".")[1] if type.count(".") else target._meta.model_name,
        target_name=str(getattr(target, "name", "") or getattr(target, "username", "") or ""),
        space_guid=space.guid if space else "",
        space_name=space.name if space else "",
        organization_guid=organization.guid if organization else "",
        organization_name=organization.name if organization else "",
        data=data,
    )


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
