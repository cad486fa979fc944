"""The end of an account: what it holds in organizations goes with it, role by role, and keys that it saw are told of.

Who closes their own leaves no organization without a manager; a platform admin may.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q

from accounts import audit, mail
from accounts.access import authorize
from accounts.actions import profile
from accounts.models import RobotKey, User
from paas.lib.errors import Unprocessable
from tenants import personal
from tenants.actions import departure
from tenants.actions import robot as robots
from tenants.actions import role as roles
from tenants.models import Organization


@transaction.atomic
def close(actor: User) -> None:
    """Delete one's own account with its roles, tokens and sessions; what was recorded stays."""
    authorize(actor, "account.close", actor)
    organizations = _locked(actor)
    if alone := managed_alone(actor, organizations):
        names = ", ".join(f"'{organization.name}'" for organization in alone)
        raise Unprocessable(
            f"You are the last organization manager of {names}. Make somebody else organization manager first, "
            "or have a platform admin delete what nobody needs."
        )
    profile.end(actor)


def ends(actor: User, user: User) -> None:
    """Record in each organization what goes with the account that is about to be deleted.

    Nobody is there to be shown new keys of robots, so whoever looks after a robot is asked to rotate those that the
    person has seen.
    """
    for organization in _locked(user):
        left = departure.estate(user, organization)
        for row in left.roles:
            roles.note(actor, row, "remove")
        for key in left.keys:
            _ask_to_rotate(actor, user, key)
        if left.roles:
            audit.record(
                actor,
                "audit.organization.member-remove",
                user,
                organization=organization,
                heir=None,
                departure=None,
                **left.names,
            )


def _locked(person: User) -> list[Organization]:
    """Lock where the person has a role, or has seen a key: platform admins see keys anywhere."""
    held = Q(roles__user=person) | Q(spaces__roles__user=person) | Q(robots__user__keys__seen_by=person)
    found = Organization.objects.filter(held, deleting_at=None).distinct().order_by("pk")
    return [Organization.objects.lock(organization.pk) for organization in found]


def _ask_to_rotate(actor: User, person: User, key: RobotKey) -> None:
    """Write to whoever looks after the robot or, where nobody is left who does, to who deletes the account."""
    owner = key.robot.robot
    for address in robots.keepers(owner, without=person) or list(filter(None, [actor.email])):
        mail.send(
            address,
            "key-seen",
            subject=f"Rotate the key “{key.name}” of {key.robot.display_name}",
            template="mail/key-seen.txt",
            key=key,
            robot=owner,
            person=person,
        )


def managed_alone(person: User, organizations: list[Organization] | None = None) -> list[Organization]:
    """Return the organizations that would be left without a manager if the person went."""
    if organizations is None:
        organizations = list(Organization.objects.filter(deleting_at=None, roles__user=person).distinct())
    return [organization for organization in organizations if _alone(person, organization)]


def _alone(person: User, organization: Organization) -> bool:
    lasting = roles.lasting_managers(organization)
    return lasting.filter(user=person).exists() and not lasting.exclude(user=person).exists()


def export(actor: User) -> Iterator[str]:
    """Return the text of all that is kept about oneself; that it was taken is recorded."""
    authorize(actor, "account.export", actor)
    audit.record(actor, "audit.user.export", actor)
    return personal.document(actor)
