"""Who walks through every door: each role alone, a stranger, nobody, whose time is over, and those of a suspended organization."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import access as accounts
from accounts.actions.robots import write_robot
from accounts.models import User
from tenants import access as tenants
from tenants.permissions import (
    ADMIN,
    BASE,
    OA,
    OB,
    OM,
    ORGANIZATION,
    ORGANIZATION_ROLES,
    OU,
    READ_ONLY_ADMIN,
    SA,
    SD,
    SM,
    SPACE,
    SS,
)

FIRST_PASSWORD = "correct horse battery"
MINISTRY, FROZEN = "ministry", "frozen"  # two organizations with the same things in them; the second is suspended
ACCOUNTS = (
    "accounts:"  # before the verbs of ``accounts.access``, of which some are called as those of ``tenants.access``
)

THERE = "organization:"  # before a verb that roles in spaces give as well, where it is asked for in the organization

# Roles of one permission that each organization has made itself: name -> (where, that permission). Nobody holds the last.
VIEWER, HISTORIAN, SPARE = "viewer", "historian", "spare role"
CUSTOM = {
    VIEWER: (SPACE, "app.view"),
    HISTORIAN: (ORGANIZATION, "audit.read"),
    SPARE: (ORGANIZATION, "billing.view"),
}


@dataclass(frozen=True)
class Person:
    """``roles`` are in force in the organization whose things the person asks for; those that lapsed are not."""

    name: str
    roles: frozenset[str] = frozenset()
    platform_role: str = ""
    home: str = MINISTRY
    lapsed: frozenset[str] = frozenset()
    signed_in: bool = True
    is_robot: bool = False  # has tokens, and no way into the console
    token: frozenset[str] = frozenset()  # the permissions that their API token carries, by which alone they come

    def __str__(self) -> str:
        return self.name

    @property
    def has_browser(self) -> bool:
        return self.signed_in and not self.is_robot and not self.token

    @property
    def is_admin(self) -> bool:
        return self.platform_role == ADMIN

    @property
    def suspended(self) -> bool:
        return self.home == FROZEN and not self.is_admin


def _with(*roles: str) -> frozenset[str]:
    return frozenset(roles)


CAST = (
    Person("user of the organization", _with(OU)),
    Person("manager of the organization", _with(OM)),
    Person("billing manager", _with(OB)),
    Person("auditor of the organization", _with(OA)),
    Person("developer", _with(OU, SD)),
    Person("manager of the space", _with(OU, SM)),
    Person("auditor of the space", _with(OU, SA)),
    Person("supporter", _with(OU, SS)),
    Person("holder of a role of one permission", _with(OU, VIEWER)),
    Person("holder of such a role in the organization", _with(OU, HISTORIAN)),
    Person("robot", _with(OU, SD), is_robot=True),
    Person("developer's token", _with(OU, SD), token=_with("organization.view", "space.view", "app.view", "app.run")),
    Person("platform admin", platform_role=ADMIN),
    Person("read-only admin", platform_role=READ_ONLY_ADMIN),
    Person("stranger"),
    Person("nobody", signed_in=False),
    Person("developer until yesterday", lapsed=_with(OU, SD)),
    Person("manager until yesterday", lapsed=_with(OM)),
    Person("developer of a suspended organization", _with(OU, SD), home=FROZEN),
    Person("manager of a suspended organization", _with(OU, OM), home=FROZEN),
    Person("read-only admin in a suspended organization", platform_role=READ_ONLY_ADMIN, home=FROZEN),
    Person("platform admin in a suspended organization", platform_role=ADMIN, home=FROZEN),
)


def holds(person: Person, verb: str, *, own: bool = False) -> bool:
    """Whether the tables give the person the verb; ``own`` where it is about their own account."""
    if not person.signed_in:
        return False
    if verb.startswith(ACCOUNTS):
        verb = verb.removeprefix(ACCOUNTS)
        _sentence, holders = accounts.TABLE[verb]
        if (person.token and verb not in accounts.NARROWED) or (person.is_robot and verb in accounts.WAYS_IN):
            return False
        return person.platform_role in holders or (own and accounts.SELF in holders)
    roles, places = tenants.TABLE[verb.removeprefix(THERE)].roles, (ORGANIZATION, SPACE)
    if verb.startswith(THERE):
        verb, roles = verb.removeprefix(THERE), roles & frozenset(ORGANIZATION_ROLES)
        places = (ORGANIZATION,)
    if person.token and verb not in person.token:
        return False
    if person.platform_role == READ_ONLY_ADMIN:
        return verb in tenants.READING - tenants.SECRETS
    return person.is_admin or bool(person.roles & roles) or verb in _of_custom(person, *places)


def _of_custom(person: Person, *places: str) -> frozenset[str]:
    """What the custom roles for those places permit that the person holds."""
    made_of = [CUSTOM[role] for role in person.roles & CUSTOM.keys()]
    return frozenset().union(*(BASE[where] | {verb} for where, verb in made_of if where in places))


def changes(verb: str) -> bool:
    """Whether a suspended organization has no room for it."""
    return not verb.startswith(ACCOUNTS) and verb.removeprefix(THERE) not in tenants.READING


def account(person: Person) -> User:
    """Write the person's account."""
    slug = person.name.replace(" ", "-")
    if person.is_robot:
        return write_robot(slug, given_name=person.name)
    return User.objects.person(f"{slug}@example.com", FIRST_PASSWORD, platform_role=person.platform_role)
