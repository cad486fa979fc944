"""Creating, changing and deleting organizations."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from tenants import access, flags, quotas
from tenants.access import authorize
from tenants.actions import robot as robots
from tenants.actions import role as roles
from tenants.actions import space as spaces
from tenants.models import Organization, QuotaUse, Space

SANDBOX = "sandbox"  # the space that every new organization has


@transaction.atomic
def create(actor: User, *, name: str, suspended: bool = False, metadata: dict[str, Any] | None = None) -> Organization:
    """Write an organization with the default quota and a space to try things in.

    Whoever creates it manages both, and develops in the space.
    """
    flags.authorize_creation(actor)
    if suspended:
        authorize(actor, "organization.suspend")
    organization = Organization(name=name, suspended=suspended, quota=quotas.default(), **merged(None, metadata or {}))
    _save(organization)
    QuotaUse.objects.create(organization=organization)
    audit.record(
        actor, "audit.organization.create", organization, after=audit.state(organization, ("name", "suspended"))
    )
    sandbox = spaces.write(organization, name=SANDBOX, by=actor)
    if actor.kind != User.Kind.SYSTEM:  # the system cannot sign in to manage anything
        for place, held in ((organization, (roles.MEMBER, roles.MANAGER)), (sandbox, spaces.OWN)):
            for role in held:
                roles.note(actor, access.give(actor, role, place, by=actor), "add")
    return organization


@transaction.atomic
def update(
    actor: User, organization: Organization, *, metadata: dict[str, Any] | None = None, **fields: Any
) -> Organization:
    """Change name, metadata or, for the platform's admins, whether it is suspended; what runs goes on running."""
    authorize(actor, "organization.update", organization)
    if "suspended" in fields:
        authorize(actor, "organization.suspend", organization)
    organization = Organization.objects.lock(organization.pk)
    before = audit.state(organization, fields)
    for name, value in (fields | (merged(organization, metadata) if metadata else {})).items():
        setattr(organization, name, value)
    _save(organization)
    if "suspended" in fields:
        robots.follow(organization)
    after = audit.state(organization, fields)
    audit.record(actor, "audit.organization.update", organization, before=before, after=after)
    return organization


@transaction.atomic
def delete(actor: User, organization: Organization) -> Job:
    """Mark the organization and all its spaces; they vanish at once, and the top floor takes away what is in them."""
    authorize(actor, "organization.delete", organization)
    organization = Organization.objects.lock(organization.pk)
    if organization.deleting_at:
        return Job.objects.filter(operation="organization.delete", resource_guid=organization.guid).latest("created_at")
    Organization.objects.filter(pk=organization.pk).update(deleting_at=timezone.now())
    robots.leave(actor, organization)
    here = list(organization.spaces.filter(deleting_at=None))
    for space in here:
        spaces.leave(actor, space, recursive=True)
    if not here:
        spaces.walk(_anchor(organization))
    before = audit.state(organization, ("name",))
    audit.record(actor, "audit.organization.delete-request", organization, before=before, recursive=True)
    return Job.objects.create(owner=actor, operation="organization.delete", resource_guid=organization.guid)


def _anchor(organization: Organization) -> Space:
    """The walk through an organization goes space by space; one that has none gets one, unseen, to start from."""
    space = Space.objects.create(
        organization=organization, name="", region=spaces.default_region(), deleting_at=timezone.now()
    )
    QuotaUse.objects.create(space=space)
    return space


def _save(organization: Organization) -> None:
    try:
        with transaction.atomic():
            organization.save()
    except IntegrityError as error:
        raise Unprocessable(f"Organization '{organization.name}' already exists.") from error
