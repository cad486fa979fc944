"""Making, changing and deleting the robot accounts of an organization; their keys are in ``robot_key``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts import audit, ranges
from accounts.actions.robots import write_robot
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from tenants import access
from tenants.access import authorize
from tenants.actions import role as roles
from tenants.models import Organization, Robot

VERB = "robot.manage"
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # what is not taken for one another
ON_ACCOUNT = {"name": "given_name", "address_ranges": "address_ranges"}


@transaction.atomic
def create(
    actor: User,
    organization: Organization,
    *,
    name: str,
    description: str = "",
    caretaker: User | None = None,
    address_ranges: Iterable[str] = (),
    metadata: dict[str, Any] | None = None,
) -> Robot:
    """Write a robot that is a member of the organization and may do nothing yet; roles and keys come next.

    Its client id is made of the name and does not change with it; without a caretaker, its maker looks after it.
    """
    authorize(actor, VERB, organization)
    organization = _locked(organization)
    _free(organization, name)
    user = write_robot(_client_id(name), given_name=name, address_ranges=ranges.read(address_ranges))
    robot = Robot(guid=user.guid, user=user, organization=organization, description=description)
    robot.caretaker = _member(organization, caretaker) if caretaker else _if_member(organization, actor)
    for field, value in merged(None, metadata or {}).items():
        setattr(robot, field, value)
    robot.save()
    _record(actor, "create", robot, after=_told(robot))
    roles.note(actor, access.give(user, roles.MEMBER, organization, by=actor), "add")
    return robot


@transaction.atomic
def update(actor: User, robot: Robot, *, metadata: dict[str, Any] | None = None, **fields: Any) -> Robot:
    """Change name, description, caretaker, address ranges or metadata; a new range counts from the next request on."""
    authorize(actor, VERB, robot.organization)
    organization = _locked(robot.organization)
    robot = Robot.objects.select_related("user", "organization", "caretaker").lock(robot.pk)
    before = _told(robot)
    if "name" in fields:
        _free(organization, fields["name"], beside=robot)
    if "address_ranges" in fields:
        fields["address_ranges"] = ranges.read(fields["address_ranges"])
    if fields.get("caretaker"):
        _member(organization, fields["caretaker"])
    for field, value in (fields | merged(robot, metadata or {})).items():
        setattr(robot.user if field in ON_ACCOUNT else robot, ON_ACCOUNT.get(field, field), value)
    robot.user.save(update_fields=[*ON_ACCOUNT.values(), "updated_at"])
    robot.save()
    _record(actor, "update", robot, before=before, after=_told(robot))
    return robot


@transaction.atomic
def delete(actor: User, robot: Robot) -> Job:
    """Remove the robot with its roles, keys and tokens; whatever uses it is refused from now on."""
    authorize(actor, VERB, robot.organization)
    _locked(robot.organization)
    _remove(actor, robot)
    return Job.objects.create(owner=actor, operation="robot.delete", state=Job.State.COMPLETE, resource_guid=robot.guid)


def follow(organization: Organization) -> None:
    """Let an organization's robots be suspended for as long as it is."""
    User.objects.filter(robot__organization=organization).update(is_active=not organization.suspended)


def leave(actor: User, organization: Organization) -> None:
    """Remove the robots of an organization that goes."""
    for robot in organization.robots.select_related("user", "organization", "caretaker"):
        _remove(actor, robot)


def _remove(actor: User, robot: Robot) -> None:
    keys = list(robot.user.keys.values_list("name", flat=True))  # type: ignore[attr-defined]
    _record(actor, "delete", robot, before=_told(robot), keys=keys)
    robot.user.delete()


def _record(actor: User, did: str, robot: Robot, **data: Any) -> None:
    audit.record(actor, f"audit.robot.{did}", robot.user, organization=robot.organization, **data)


def _told(robot: Robot) -> dict[str, Any]:
    return audit.state(robot, ["description"]) | {
        "name": robot.user.given_name,
        "caretaker": robot.caretaker.username if robot.caretaker else None,
        "address_ranges": robot.user.address_ranges,
    }


def keepers(robot: Robot, *, without: User | None = None) -> list[str]:
    """Return the addresses of whoever looks after the robot: its caretaker or, without one, the managers."""
    keeper = robot.caretaker
    if keeper and keeper != without and keeper.is_active and keeper.email:
        return [keeper.email]
    managers = roles.lasting_managers(robot.organization).exclude(user=without)
    return sorted({email for email in managers.values_list("user__email", flat=True) if email})


def _locked(organization: Organization) -> Organization:
    locked: Organization = Organization.objects.lock(organization.pk)
    if locked.deleting_at:
        raise Unprocessable(f"Organization '{locked.name}' is being deleted.")
    return locked


def _client_id(name: str) -> str:
    """Return an id that can be read and is nobody else's, also where another organization's robot has the name."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "robot"
    return f"{readable}-{''.join(secrets.choice(ALPHABET) for _ in range(6))}"


def _free(organization: Organization, name: str, *, beside: Robot | None = None) -> None:
    others = organization.robots.exclude(pk=beside.pk if beside else None)
    if others.filter(user__given_name__iexact=name).exists():
        raise Unprocessable(f"Organization '{organization.name}' has a robot called '{name}' already.")


def _member(organization: Organization, person: User) -> User:
    if _if_member(organization, person) is None:
        raise Unprocessable(
            f"User '{person.username}' cannot look after the robot. Choose a person who is in the organization."
        )
    return person


def _if_member(organization: Organization, person: User) -> User | None:
    people = access.people_of(organization).filter(kind=User.Kind.PERSON)
    return people.filter(pk=person.pk).first()
