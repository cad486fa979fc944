"""Giving and taking the roles that people hold in organizations and spaces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from tenants import access
from tenants.access import authorize
from tenants.models import Organization, OrganizationRole, Space, SpaceRole

MANAGER, MEMBER = "organization_manager", "organization_user"


def verb_for(place: Organization | Space) -> str:
    """Return the verb that whoever changes roles there must hold."""
    return "organization.member.manage" if isinstance(place, Organization) else "space.member.manage"


@transaction.atomic
def give(
    actor: User,
    user: User,
    *,
    role: str,
    place: Organization | Space,
    expires_at: datetime | None = None,
    reason: str = "",
) -> OrganizationRole | SpaceRole:
    """Give the person a role; raise ``AlreadyHeld`` (422, and the caller goes on) if it is in force."""
    authorize(actor, verb_for(place), place)
    _lock(place)
    return _give(actor, user, role, place, expires_at=expires_at, reason=reason)


@transaction.atomic
def take(actor: User, row: OrganizationRole | SpaceRole) -> Job:
    """Take the role away; a member's last ties and an organization's last manager are kept."""
    authorize(actor, verb_for(row.content_object), row.content_object)
    _lock(row.content_object)
    guid = row.guid
    _take(actor, row)
    return Job.objects.create(owner=actor, operation="role.delete", state=Job.State.COMPLETE, resource_guid=guid)


@transaction.atomic
def change(
    actor: User,
    place: Organization | Space,
    *,
    give: Mapping[User, Collection[str]],
    take: Mapping[User, Collection[str]],
) -> None:
    """Give and take roles of several people together, all or nothing; what is so already stays as it is."""
    authorize(actor, verb_for(place), place)
    _lock(place)
    rows = (
        access.role_rows(place).filter(user__in={*give, *take}).select_related("user", "permission", "content_object")
    )
    held = {(row.user, row.permission.codename): row for row in rows}
    for user, names in give.items():
        for name in sorted(names):
            if (user, name) not in held:
                _give(actor, user, name, place)
    for user, names in take.items():
        for name in sorted(names):
            if row := held.get((user, name)):
                _take(actor, row)


@transaction.atomic
def remove(actor: User, user: User, *, organization: Organization) -> None:
    """Take every role that the person holds in the organization and in its spaces."""
    authorize(actor, verb_for(organization), organization)
    _lock(organization)
    in_spaces = SpaceRole.objects.filter(user=user, content_object__organization=organization)
    for space_role in in_spaces.select_related("user", "permission", "content_object__organization"):
        _take(actor, space_role)
    for row in OrganizationRole.objects.filter(user=user, content_object=organization).select_related("permission"):
        _take(actor, row)


def note(actor: User, row: OrganizationRole | SpaceRole, change: str) -> None:
    """Record Cloud Foundry's event: ``audit.user.organization_manager_add``, ``audit.user.space_auditor_remove``, ..."""
    expires = row.expires_at.isoformat() if row.expires_at else None
    audit.record(
        actor,
        f"audit.user.{row.permission.codename}_{change}",
        row.user,
        space=getattr(row.content_object, "space", None),
        organization=row.content_object.organization,
        role=row.permission.codename,
        role_guid=row.guid,
        expires_at=expires,
        reason=row.reason,
    )


def _give(
    actor: User,
    user: User,
    role: str,
    place: Organization | Space,
    *,
    expires_at: datetime | None = None,
    reason: str = "",
) -> OrganizationRole | SpaceRole:
    if isinstance(place, Space) and not _held(place.organization, user).filter(permission__codename=MEMBER).exists():
        raise Unprocessable(
            "Users cannot be assigned roles in a space if they do not have a role in that space's organization."
        )
    row = access.give(user, role, place, by=actor, expires_at=expires_at, reason=reason)
    note(actor, row, "add")
    return row


def _take(actor: User, row: OrganizationRole | SpaceRole) -> None:
    if isinstance(row, OrganizationRole):
        _may_go(actor, row)
    note(actor, row, "remove")
    access.take(row)


def _lock(place: Organization | Space) -> None:
    """Roles of one organization and its spaces change one after the other, and not while it goes away."""
    organization = Organization.objects.lock(place.organization.pk)
    if organization.deleting_at or (isinstance(place, Space) and Space.objects.get(pk=place.pk).deleting_at):
        noun = type(place).__name__.lower()
        raise Unprocessable(f"Invalid {noun}. Ensure that the {noun} exists and you have access to it.")


def _held(organization: Organization, user: User | None = None) -> QuerySet[OrganizationRole]:
    rows = access.role_rows(organization)
    return rows.filter(user=user) if user else rows


def _may_go(actor: User, row: OrganizationRole) -> None:
    organization, role = row.content_object, row.permission.codename
    in_spaces = SpaceRole.objects.filter(user=row.user, content_object__organization=organization)
    if role == MEMBER and in_spaces.filter(content_object__deleting_at=None).exists():
        raise Unprocessable("Cannot delete organization_user role while user has roles in spaces in that organization.")
    others = _held(organization).filter(permission__codename=MANAGER).exclude(pk=row.pk)
    if role == MANAGER and not actor.is_admin and not others.exists():
        raise Unprocessable(
            f"User '{row.user.username}' is the last organization manager of '{organization.name}'. "
            "Make somebody else organization manager first."
        )
