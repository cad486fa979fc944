"""Giving and taking the roles that people hold in organizations and spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import access
from tenants.access import authorize
from tenants.models import Organization, OrganizationRole, Space, SpaceRole, in_force

MANAGER, MEMBER = "organization_manager", "organization_user"


VERB = "member.manage"
ROLE = ("user", "permission__custom_role")  # what a role row is told with
END = ("expires_at", "reason")


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
    authorize(actor, VERB, place)
    lock(place)
    return _give(actor, user, role, place, expires_at=expires_at, reason=reason)


@transaction.atomic
def take(actor: User, row: OrganizationRole | SpaceRole, *, with_spaces: bool = False) -> Job:
    """Take the role away; an organization's last manager is kept.

    Membership stays while its holder has roles in spaces, unless ``with_spaces`` says that those go too.
    """
    authorize(actor, VERB, row.content_object)
    lock(row.content_object)
    row = _fresh(row)
    guid = row.guid
    rows = [row]
    if with_spaces and isinstance(row, OrganizationRole) and row.permission.codename == MEMBER:
        rows = [*in_spaces(row.user, row.content_object), row]
    take_all(actor, rows)
    return Job.objects.create(owner=actor, operation="role.delete", state=Job.State.COMPLETE, resource_guid=guid)


@transaction.atomic
def change(
    actor: User,
    place: Organization | Space,
    *,
    give: Mapping[User, Collection[str]],
    take: Mapping[User, Collection[str]],
    expires_at: datetime | None = None,
    reason: str = "",
) -> None:
    """Give and take roles of several people together, all or nothing; what is so already stays as it is.

    What is given ends at ``expires_at`` and is given for that reason.
    """
    authorize(actor, VERB, place)
    lock(place)
    rows = access.role_rows(place).filter(user__in={*give, *take}).select_related(*ROLE, "content_object")
    held = {(row.user, row.permission.codename): row for row in rows}
    for user, names in give.items():
        for name in sorted(names):
            if (user, name) not in held:
                _give(actor, user, name, place, expires_at=expires_at, reason=reason)
    gone = [held[user, name] for user, names in take.items() for name in names if (user, name) in held]
    take_all(actor, sorted(gone, key=lambda row: row.permission.codename == MEMBER))


@transaction.atomic
def set_end(actor: User, row: OrganizationRole | SpaceRole, *, expires_at: datetime | None, reason: str) -> None:
    """Let the role end at another time, or not at all; its holder is told again before it does."""
    authorize(actor, VERB, row.content_object)
    lock(row.content_object)
    row = _fresh(row)
    _may_grant(actor, row.permission.codename, row.content_object)
    if isinstance(row, OrganizationRole) and expires_at:
        _manager_stays(actor, row)
    _lasts(row.user, row.permission.codename, row.content_object, expires_at)
    before, after = audit.state(row, END), {"expires_at": expires_at, "reason": reason}
    if before != after:
        row.expires_at, row.reason, row.announced_at = expires_at, reason, None
        row.save(update_fields=[*END, "announced_at", "updated_at"])
        note(actor, row, "update", before=before, after=after)


def lapse(row: OrganizationRole | SpaceRole) -> None:
    """Record that a role of an organization that is locked has ended by itself, and remove what is left of it."""
    note(User.objects.system(), row, "lapse")
    access.take(row)


def note(actor: User, row: OrganizationRole | SpaceRole, change: str, **more: Any) -> None:
    """Record Cloud Foundry's event: ``audit.user.organization_manager_add``, ``audit.user.space_auditor_remove``, ..."""
    expires = row.expires_at.isoformat() if row.expires_at else None
    own = getattr(row.permission, "custom_role", None)
    audit.record(
        actor,
        f"audit.user.{'custom_role' if own else row.permission.codename}_{change}",
        row.user,
        space=getattr(row.content_object, "space", None),
        organization=row.content_object.organization,
        role=own.name if own else row.permission.codename,
        role_guid=row.guid,
        **more,
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
    _may_grant(actor, role, place)
    _lasts(user, role, place, expires_at)
    for ended in _ended(user, role, place):
        lapse(ended)
    row = access.give(user, role, place, by=actor, expires_at=expires_at, reason=reason)
    note(actor, row, "add")
    return row


def _ended(user: User, role: str, place: Organization | Space) -> QuerySet[Any]:
    """What is left of the same role, if it has ended and nobody has cleared it away yet."""
    model: Any = OrganizationRole if isinstance(place, Organization) else SpaceRole
    rows = model.objects.filter(user=user, permission__codename=role, content_object=place)
    return rows.filter(expires_at__lte=timezone.now()).select_related(*ROLE, "content_object")


def _fresh(row: Any) -> Any:
    """Read the role again under the organization's lock; one that is gone by now is not found."""
    return type(row).objects.select_related(*ROLE, "content_object").get(pk=row.pk)


def _may_grant(actor: User, role: str, place: Organization | Space) -> None:
    if not access.may_grant(actor, access.verbs_of(role), place):
        raise NotAuthorized(
            "You may give and take only roles whose permissions you hold yourself. Ask a manager to do it."
        )


def _lasts(user: User, role: str, place: Organization | Space, expires_at: datetime | None) -> None:
    """Refuse an end that would leave somebody with a role in a space and without membership."""
    now = timezone.now()
    if expires_at and expires_at <= now:
        raise Unprocessable("The end of a role must be in the future.")
    if isinstance(place, Space):
        ends = _held(place.organization, user).filter(permission__codename=MEMBER).values_list("expires_at", flat=True)
        end = ends.first()
        if end and (expires_at is None or expires_at > end):
            raise Unprocessable(
                f"User '{user.username}' is a member of organization '{place.organization.name}' only until "
                f"{end:%-d %B %Y %H:%M} UTC. Let the role end by then, or let the membership last longer first."
            )
    elif role == MEMBER and expires_at:
        longer = in_spaces(user, place).filter(Q(expires_at=None) | Q(expires_at__gt=expires_at))
        if found := longer.first():
            raise Unprocessable(
                f"User '{user.username}' holds a role in space '{found.content_object.name}' for longer than that. "
                "Let the roles in spaces end first."
            )


def take_all(actor: User, rows: Iterable[OrganizationRole | SpaceRole]) -> None:
    """Take roles of an organization that is locked, those in its spaces first, membership last.

    What the actor may take is asked before any goes: one of them may be what allows it.
    """
    rows = list(rows)
    for row in rows:
        _may_grant(actor, row.permission.codename, row.content_object)
    for row in rows:
        _take(actor, row)


def _take(actor: User, row: OrganizationRole | SpaceRole) -> None:
    if isinstance(row, OrganizationRole):
        _may_go(actor, row)
    note(actor, row, "remove")
    access.take(row)


def lock(place: Organization | Space) -> None:
    """Roles of one organization and its spaces change one after the other, and not while it goes away."""
    organization = Organization.objects.lock(place.organization.pk)
    if organization.deleting_at or (isinstance(place, Space) and Space.objects.get(pk=place.pk).deleting_at):
        noun = type(place).__name__.lower()
        raise Unprocessable(f"Invalid {noun}. Ensure that the {noun} exists and you have access to it.")


def _held(organization: Organization, user: User | None = None) -> QuerySet[OrganizationRole]:
    rows = access.role_rows(organization)
    return rows.filter(user=user) if user else rows


def in_spaces(user: User, organization: Organization) -> QuerySet[SpaceRole]:
    """The roles in force that the person holds in the organization's spaces."""
    rows = SpaceRole.objects.filter(in_force(), user=user, content_object__organization=organization)
    rows = rows.filter(content_object__deleting_at=None)
    return rows.select_related(*ROLE, "content_object__organization")


def of_member(user: User, organization: Organization) -> QuerySet[OrganizationRole]:
    """The roles in force that the person holds in the organization itself, membership last."""
    rows = access.role_rows(organization).filter(user=user).select_related(*ROLE, "content_object")
    return rows.order_by(Case(When(permission__codename=MEMBER, then=1), default=0), "id")


def lasting_managers(organization: Organization) -> QuerySet[OrganizationRole]:
    """The manager roles that keep an organization from being nobody's: of people who can sign in, without an end."""
    return OrganizationRole.objects.filter(access.lasting_manager(), content_object=organization)


def _may_go(actor: User, row: OrganizationRole) -> None:
    if row.permission.codename == MEMBER and in_spaces(row.user, row.content_object).exists():
        raise Unprocessable("Cannot delete organization_user role while user has roles in spaces in that organization.")
    _manager_stays(actor, row)


def _manager_stays(actor: User, row: OrganizationRole) -> None:
    """Refuse to take, or to end, the role that keeps the organization from being nobody's; platform admins may."""
    organization = row.content_object
    lasting = lasting_managers(organization)
    last = lasting.filter(pk=row.pk).exists() and not lasting.exclude(pk=row.pk).exists()
    if last and not actor.is_admin:
        raise Unprocessable(
            f"User '{row.user.username}' is the last organization manager of '{organization.name}'. "
            "Make somebody else organization manager first, a person and without an end date."
        )
