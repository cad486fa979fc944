"""Changing the roles of many people in an organization and its spaces together, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from accounts.models import User
from tenants import access
from tenants.actions import role as roles
from tenants.models import Organization, Space


class Change(NamedTuple):
    """A role (by its name) that one person gets or loses in the organization or one of its spaces."""

    user: User
    place: Organization | Space
    role: str


@transaction.atomic
def change_everywhere(
    actor: User,
    organization: Organization,
    *,
    give: Collection[Change],
    take: Collection[Change],
    expires_at: datetime | None = None,
    reason: str = "",
) -> None:
    """Give and take all of it in one transaction; what is so already stays as it is.

    Membership comes first and goes last. What is given ends at ``expires_at`` and is given for that reason, but for
    membership, which lasts.
    """
    authorize_all(actor, [*give, *take])
    roles.lock(organization)
    if members := _by_person(change for change in give if change.role == roles.MEMBER):
        roles.change(actor, organization, give=members, take={})
    for place in sorted({change.place for change in (*give, *take)}, key=lambda each: isinstance(each, Organization)):
        given = _by_person(each for each in give if each.place == place and each.role != roles.MEMBER)
        taken = _by_person(each for each in take if each.place == place)
        roles.change(actor, place, give=given, take=taken, expires_at=expires_at, reason=reason)


def authorize_all(granter: User, changes: Iterable[Change]) -> None:
    """Raise ``NotAuthorized`` unless they manage members in each of the places."""
    for place in {change.place for change in changes}:
        access.authorize(granter, roles.VERB, place)


def _by_person(changes: Iterable[Change]) -> dict[User, list[str]]:
    people: dict[User, list[str]] = {}
    for change in changes:
        people.setdefault(change.user, []).append(change.role)
    return people
