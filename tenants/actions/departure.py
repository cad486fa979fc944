"""A person leaves an organization in one step, hands over what only they held, and comes back if that was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit, sessions, tokens
from accounts.models import RobotKey, User, UserSession
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import access
from tenants.access import authorize
from tenants.actions import robot_key
from tenants.actions import role as roles
from tenants.models import (
    Decision,
    Departure,
    Invitation,
    Organization,
    OrganizationRole,
    QuotaRequest,
    Robot,
    RoleRequest,
    Space,
    SpaceRole,
)

UNDO_DAYS = 30
REVOKE, ROTATE, KEEP = "revoke", "rotate", "keep"  # what becomes of a key that the leaver made or saw
Row = OrganizationRole | SpaceRole


@dataclass(frozen=True)
class Estate:
    """What somebody has in an organization: roles, and what only they look after."""

    roles: list[Row]
    robots: list[Robot]
    keys: list[RobotKey]
    requests: list[RoleRequest]
    quota_requests: list[QuotaRequest]
    invitations: list[Invitation]

    @property
    def names(self) -> dict[str, Any]:
        """What is recorded of it beside the roles, each of which has an event of its own."""
        return {
            "robots": [robot.user.username for robot in self.robots],
            "keys": [key.name for key in self.keys],
        }

    @property
    def to_hand_over(self) -> bool:
        return bool(self.robots or self.invitations or self.quota_requests)


def estate(user: User, organization: Organization) -> Estate:
    """Return what the person leaves behind in the organization if they go now."""
    pending = {"organization": organization, "state": Decision.State.PENDING}
    return Estate(
        roles=[*roles.in_spaces(user, organization), *roles.of_member(user, organization)],
        robots=list(organization.robots.filter(caretaker=user).select_related("user")),
        keys=list(
            RobotKey.objects.filter(
                robot__robot__organization=organization, seen_by=user, expires_at__gt=timezone.now()
            ).select_related("robot")
        ),
        requests=list(RoleRequest.objects.filter(user=user, **pending).select_related("space")),
        quota_requests=list(QuotaRequest.objects.filter(asked_by=user, **pending).select_related("space")),
        invitations=list(
            organization.invitations.filter(
                invited_by=user, state=Invitation.State.PENDING, expires_at__gt=timezone.now()
            )
        ),
    )


@transaction.atomic
def leave(
    actor: User,
    user: User,
    *,
    organization: Organization,
    heir: User | None = None,
    keys: Mapping[str, str] | None = None,
) -> tuple[Departure, dict[RobotKey, str]]:
    """Take every role that the person has in the organization and its spaces, and what goes with them.

    ``heir`` gets the robots that they looked after, their invitations and their open requests for quota; ``keys`` says
    by guid what becomes of each key that they saw: revoked, kept, or (by default) rotated, the old one working seven
    more days. Returns what an undo needs, and the new keys with their texts, shown this once. Where no organization
    is left to them, their sessions and sign-ins end.
    """
    authorize(actor, roles.VERB, organization)
    roles.lock(organization)
    left = estate(user, organization)
    if not left.roles:
        raise Unprocessable(f"'{user.username}' holds no role in organization '{organization.name}'.")
    if heir is not None and (heir == user or heir not in access.people_of(organization).filter(kind=User.Kind.PERSON)):
        raise Unprocessable("Choose somebody else who is in the organization, and a person, to take over.")
    departure = Departure.objects.create(
        organization=organization,
        user=user,
        by=actor,
        until=timezone.now() + timedelta(days=UNDO_DAYS),
        snapshot={"roles": [_kept(row) for row in left.roles], "robots": [robot.guid for robot in left.robots]},
    )
    roles.take_all(actor, left.roles)
    made = _settle_keys(actor, left.keys, keys or {})
    _hand_over(left, heir)
    audit.record(
        actor,
        "audit.organization.member-remove",
        user,
        organization=organization,
        heir=heir.username if heir else None,
        departure=departure.guid,
        **left.names,
    )
    if not user.platform_role and not Organization.objects.visible_to(user).exists():
        sessions.end(UserSession.objects.filter(user=user))
        tokens.forget(user)
    return departure, made


@transaction.atomic
def undo(actor: User, departure: Departure) -> list[str]:
    """Give back what the person held; return a sentence for each role that cannot come back.

    What was handed over stays with whoever has it now, but for robots that nobody looks after.
    """
    authorize(actor, roles.VERB, departure.organization)
    roles.lock(departure.organization)
    departure = Departure.objects.select_related("organization", "user").lock(departure.pk)
    if departure.restored_at:
        raise Unprocessable(f"'{departure.user.username}' was taken back already.")
    if departure.until <= timezone.now():
        raise Unprocessable(f"It is more than {UNDO_DAYS} days ago. Add '{departure.user.username}' again instead.")
    lost = [said for kept in reversed(departure.snapshot["roles"]) if (said := _give_back(actor, departure, kept))]
    robots = departure.organization.robots.filter(guid__in=departure.snapshot["robots"], caretaker=None)
    robots.update(caretaker=departure.user)
    departure.restored_at = timezone.now()
    departure.save(update_fields=["restored_at"])
    audit.record(
        actor,
        "audit.organization.member-restore",
        departure.user,
        organization=departure.organization,
        departure=departure.guid,
        lost=lost,
    )
    return lost


def _kept(row: Row) -> dict[str, Any]:
    return {
        "role": row.permission.codename,
        "label": access.role_label(row.permission),
        "space": row.content_object.guid if isinstance(row, SpaceRole) else None,
        "place": row.content_object.name,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "reason": row.reason,
    }


def _give_back(actor: User, departure: Departure, kept: dict[str, Any]) -> str:
    """Give one role again; return why not, where it cannot be."""
    where, label = kept["place"], kept["label"]
    ends = datetime.fromisoformat(kept["expires_at"]) if kept["expires_at"] else None
    if ends and ends <= timezone.now():
        return f"{label} in {where} has ended meanwhile."
    place: Organization | Space | None = departure.organization
    if kept["space"]:
        place = Space.objects.filter(guid=kept["space"], deleting_at=None).first()
    if place is None:
        return f"Space {where} is gone, and {label} there with it."
    if kept["role"] not in access.roles_of(place):
        return f"The role {label} does not exist any more."
    try:
        with transaction.atomic():
            roles.give(actor, departure.user, role=kept["role"], place=place, expires_at=ends, reason=kept["reason"])
    except access.AlreadyHeld:
        return ""  # somebody gave it meanwhile
    return ""


def _settle_keys(actor: User, keys: list[RobotKey], wanted: Mapping[str, str]) -> dict[RobotKey, str]:
    made: dict[RobotKey, str] = {}
    kept = all(wanted.get(key.guid) == KEEP for key in keys)
    if not kept and not access.may(actor, robot_key.VERB, keys[0].robot.robot.organization):
        raise NotAuthorized(
            "They have seen keys of robots, and you do not manage robots: ask an organization manager to remove them, or say "
            f"'{KEEP}' for each of the keys: {', '.join(key.guid for key in keys)}."
        )
    for key in keys:
        what = wanted.get(key.guid, ROTATE)
        if what == REVOKE:
            robot_key.revoke(actor, key)
        elif what == ROTATE:
            new, text = robot_key.rotate(actor, key)
            made[new] = text
        elif what != KEEP:
            raise Unprocessable(f"A key can be given '{REVOKE}', '{ROTATE}' or '{KEEP}', not '{what}'.")
    return made


def _hand_over(left: Estate, heir: User | None) -> None:
    """What nobody takes over is nobody's: robots wait for a caretaker, requests of the person end."""
    now = timezone.now()
    Robot.objects.filter(pk__in=[robot.pk for robot in left.robots]).update(caretaker=heir)
    Invitation.objects.filter(pk__in=[row.pk for row in left.invitations]).update(
        **({"invited_by": heir} if heir else {"state": Invitation.State.WITHDRAWN})
    )
    RoleRequest.objects.filter(pk__in=[row.pk for row in left.requests]).update(
        state=Decision.State.WITHDRAWN, decided_at=now
    )
    QuotaRequest.objects.filter(pk__in=[row.pk for row in left.quota_requests]).update(
        **({"asked_by": heir} if heir else {"state": Decision.State.WITHDRAWN, "decided_at": now})
    )
