"""Making, rotating and revoking the keys of a robot."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit, keys, notices
from accounts.actions.tokens import end_of
from accounts.models import RobotKey, User
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import access
from tenants.access import authorize
from tenants.actions import role as roles
from tenants.actions.robot import VERB
from tenants.models import OrganizationRole, Robot, SpaceRole, in_force

OVERLAP_DAYS, MOST_OVERLAP_DAYS = 7, 90


@transaction.atomic
def create(actor: User, robot: Robot, *, name: str, expires_at: datetime | None = None) -> tuple[RobotKey, str]:
    """Make a key; return it and its text, which is shown this once. Whoever makes it has seen it."""
    authorize(actor, VERB, robot.organization)
    _lock(actor, robot)
    _may_act_as(actor, robot)
    User.objects.lock(robot.user_id)
    if robot.user.keys.filter(name__iexact=name).exists():
        raise Unprocessable(f"The robot has a key called '{name}' already. Choose another name.")
    key, text = keys.new(robot.user, name=name, expires_at=end_of("A key", expires_at), seen_by=actor)
    _record(actor, "create", robot, key)
    return key, text


@transaction.atomic
def rotate(
    actor: User, key: RobotKey, *, days: int = OVERLAP_DAYS, expires_at: datetime | None = None
) -> tuple[RobotKey, str]:
    """Make a new key and let the old one work so many more days; return the new one and its text, shown this once.

    The new one is called as the old one, with the next number.
    """
    authorize(actor, VERB, _robot(key).organization)
    robot = _robot(key)
    _lock(actor, robot)
    _may_act_as(actor, robot)
    if not 0 <= days <= MOST_OVERLAP_DAYS:
        raise Unprocessable(f"The old key can work from 0 to {MOST_OVERLAP_DAYS} more days.")
    User.objects.lock(robot.user_id)
    key = RobotKey.objects.lock(key.pk)
    new, text = keys.new(robot.user, name=_next_name(key), expires_at=end_of("A key", expires_at), seen_by=actor)
    key.expires_at = min(key.expires_at, timezone.now() + timedelta(days=days))
    key.due_at = keys.next_notice(key.expires_at)
    key.save(update_fields=["expires_at", "due_at", "updated_at"])
    _record(actor, "rotate", robot, new, old=key.name, old_expires_at=key.expires_at.isoformat())
    return new, text


@transaction.atomic
def revoke(actor: User, key: RobotKey) -> None:
    """Take the key back: it, and every token that was got for it, is refused from now on."""
    authorize(actor, VERB, _robot(key).organization)
    key = RobotKey.objects.lock(key.pk)
    _record(actor, "revoke", _robot(key), key)
    key.delete()


def _robot(key: RobotKey) -> Robot:
    robot: Robot = Robot.objects.select_related("user", "organization").get(user=key.robot_id)
    return robot


def _record(actor: User, did: str, robot: Robot, key: RobotKey, **data: Any) -> None:
    told = {"key": key.name, "expires_at": key.expires_at.isoformat(), **data}
    audit.record(actor, f"audit.robot.key.{did}", robot.user, organization=robot.organization, **told)
    if did in ("create", "rotate"):
        words = {"robot": robot.user, "key": key, "organization": robot.organization}
        notices.tell(actor, "key-created", subject=f"A new key of the robot {robot.user.username}", **words)


def _next_name(key: RobotKey) -> str:
    """Return "ci 2" after "ci", "ci 3" after "ci 2", and so on past what is taken."""
    stem, _, number = key.name.rpartition(" ")
    if not (stem and re.fullmatch(r"[1-9]\d{0,3}", number)):
        stem, number = key.name, "1"
    taken = {name.lower() for name in RobotKey.objects.filter(robot=key.robot_id).values_list("name", flat=True)}
    count = int(number) + 1
    while f"{stem[:240]} {count}".lower() in taken:
        count += 1
    return f"{stem[:240]} {count}"


def _lock(actor: User, robot: Robot) -> None:
    """Keys are made one after the other with changes of roles: who lost theirs meanwhile makes none."""
    roles.lock(robot.organization)
    authorize(actor, VERB, robot.organization)


def _may_act_as(actor: User, robot: Robot) -> None:
    """Whoever gets a key of the robot can do what it may, so it must be what they could grant."""
    here = robot.organization
    if robot.user.platform_role and not actor.is_admin:
        raise NotAuthorized("The robot has a role on the whole platform. Ask a platform admin to make the key.")
    in_spaces = SpaceRole.objects.filter(in_force(), user=robot.user, content_object__organization=here)
    rows: list[OrganizationRole | SpaceRole] = [
        *OrganizationRole.objects.filter(in_force(), user=robot.user, content_object=here).select_related("permission"),
        *in_spaces.select_related("permission", "content_object__organization"),
    ]
    for row in rows:
        if not access.may_grant(actor, access.verbs_of(row.permission.codename), row.content_object):
            raise NotAuthorized(
                f"The robot may do things in '{row.content_object.name}' that you may not. "
                "Ask a manager there to make the key."
            )
