"""Creating, changing and deleting spaces."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants.access import authorize
from tenants.actions import role as roles
from tenants.models import Organization, QuotaUse, Region, Space

OWN = ("space_developer", "space_manager")  # what whoever makes a space holds in it


def default_region() -> Region:
    """Where what names no region goes."""
    return Region.objects.get(is_default=True)


@transaction.atomic
def create(actor: User, organization: Organization, *, name: str, metadata: dict[str, Any] | None = None) -> Space:
    """Write an empty space; nobody has a role in it yet."""
    authorize(actor, "space.create", organization)
    organization = Organization.objects.lock(organization.pk)
    if organization.deleting_at:
        raise Unprocessable("Invalid organization. Ensure the organization exists and you have access to it.")
    return write(organization, name=name, metadata=metadata, by=actor)


def write(organization: Organization, *, name: str, by: User, metadata: dict[str, Any] | None = None) -> Space:
    """Write a space into an organization that is locked or new."""
    space = Space(organization=organization, name=name, region=default_region(), **merged(None, metadata or {}))
    _save(space)
    QuotaUse.objects.create(space=space)
    audit.record(by, "audit.space.create", space, after=audit.state(space, ("name",)))
    return space


@transaction.atomic
def create_and_join(actor: User, organization: Organization, *, name: str) -> Space:
    """Create a space and give whoever creates it the roles to develop in it and to manage it."""
    authorize(actor, "space.create", organization)
    space = create(actor, organization, name=name)
    roles.change(actor, organization, give={actor: [roles.MEMBER]}, take={})
    roles.change(actor, space, give={actor: [*OWN]}, take={})
    return space


@transaction.atomic
def update(actor: User, space: Space, *, metadata: dict[str, Any] | None = None, **fields: Any) -> Space:
    """Change name, metadata or whether a shell may be opened in its apps (``ssh_allowed``)."""
    authorize(actor, "space.update", space)
    space = Space.objects.lock(space.pk)
    before = audit.state(space, fields)
    for name, value in (fields | (merged(space, metadata) if metadata else {})).items():
        setattr(space, name, value)
    _save(space, only=[*fields, "labels", "annotations", "updated_at"])
    audit.record(actor, "audit.space.update", space, before=before, after=audit.state(space, fields))
    return space


@transaction.atomic
def delete(actor: User, space: Space) -> Job:
    """Mark the space; it vanishes at once, and the top floor takes away what is in it."""
    authorize(actor, "space.delete", space)
    Organization.objects.lock(space.organization_id)
    space = Space.objects.lock(space.pk)
    if space.deleting_at:
        return Job.objects.filter(operation="space.delete", resource_guid=space.guid).latest("created_at")
    leave(actor, space, recursive=True)
    return Job.objects.create(owner=actor, operation="space.delete", resource_guid=space.guid)


def leave(actor: User, space: Space, *, recursive: bool) -> None:
    """Mark a space whose organization is locked, record it, and start the walk through what is in it."""
    audit.record(actor, "audit.space.delete-request", space, before=audit.state(space, ("name",)), recursive=recursive)
    walk(space)


def walk(space: Space) -> None:
    """Have the top floor delete what is in the space, then the space, then an organization that has gone empty."""
    now = timezone.now()
    Space.objects.filter(pk=space.pk).update(deleting_at=now, due_at=now)
    later("apps.jobs.delete_space", space.pk)


def _save(space: Space, only: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            space.save(update_fields=only)
    except IntegrityError as error:
        raise Unprocessable("Name must be unique per organization") from error
