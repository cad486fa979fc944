"""Who walks through every door: each role alone, a stranger, nobody, whose time is over, and those of a suspended organization."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import access as accounts
from accounts.models import User
from tenants import access as tenants
from tenants.access import ADMIN, OA, OB, OM, OU, READ_ONLY_ADMIN, SA, SD, SM, SS

FIRST_PASSWORD = "correct horse battery"
MINISTRY, FROZEN = "ministry", "frozen"  # two organizations with the same things in them; the second is suspended
ACCOUNTS = (
    "accounts:"  # before the verbs of ``accounts.access``, of which some are called as those of ``tenants.access``
)


@dataclass(frozen=True)
class Person:
    """``roles`` are in force in the organization whose things the person asks for; those that lapsed are not."""

    name: str
    roles: frozenset[str] = frozenset()
    platform_role: str = ""
    home: str = MINISTRY
    lapsed: frozenset[str] = frozenset()
    signed_in: bool = True

    def __str__(self) -> str:
        return self.name

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
        _sentence, holders = accounts.TABLE[verb.removeprefix(ACCOUNTS)]
        return person.platform_role in holders or (own and accounts.SELF in holders)
    _sentence, roles = tenants.TABLE[verb]
    if person.platform_role == READ_ONLY_ADMIN:
        return verb in tenants.READING - tenants.SECRETS
    return person.is_admin or bool(person.roles & roles)


def changes(verb: str) -> bool:
    """Whether a suspended organization has no room for it."""
    return not verb.startswith(ACCOUNTS) and verb not in tenants.READING


def account(person: Person) -> User:
    """Write the person's account."""
    slug = person.name.replace(" ", "-")
    return User.objects.person(f"{slug}@example.com", FIRST_PASSWORD, platform_role=person.platform_role)
