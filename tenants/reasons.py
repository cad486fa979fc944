"""Why somebody can do something somewhere: the grants that allow it, or the roles that would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from tenants import access
from tenants.models import Organization, OrganizationRole, Space, SpaceRole, granting, in_force
from tenants.permissions import TABLE, everywhere

Row = OrganizationRole | SpaceRole
JOINED = ("user", "granted_by", "permission__custom_role")


@dataclass(frozen=True)
class Answer:
    """``grants`` allow it, and so may a platform role; where nothing does, ``would`` names the roles that could."""

    holds: bool
    platform_role: str
    grants: list[Row]
    would: list[str]


def why(person: User, verb: str, place: Organization | Space) -> Answer:
    """Return why the person may do what the verb names there, or which roles given there would let them."""
    rows: list[Row] = list(_in_organization(person, verb, place.organization))
    if isinstance(place, Space):
        rows += SpaceRole.objects.filter(granting(verb), user=person, content_object=place).select_related(
            *JOINED, "content_object__organization"
        )
    elif verb == "organization.view":
        there = {"content_object__organization": place, "content_object__deleting_at": None}
        held = SpaceRole.objects.filter(in_force(), user=person, **there)
        rows += held.select_related(*JOINED, "content_object__organization")
    role = person.get_platform_role_display() if everywhere(person, verb) else ""
    holds = access.may(person, verb, place)
    return Answer(holds, role if person.is_active else "", rows if holds else [], [] if holds else _would(verb, place))


def _in_organization(person: User, verb: str, organization: Organization) -> Any:
    rows = OrganizationRole.objects.filter(granting(verb), user=person, content_object=organization)
    return rows.select_related(*JOINED, "content_object")


def _would(verb: str, place: Organization | Space) -> list[str]:
    """The roles, by label, that allow it where they are given; organization roles hold in spaces too."""
    places = [place] if isinstance(place, Organization) else [place, place.organization]
    found: list[str] = []
    for where in places:
        own = {role.guid: frozenset(role.verbs) for role in access.custom_roles(where)}
        for name, label in access.roles_of(where).items():
            if verb in own.get(name, ()) or name in TABLE[verb].roles:
                found.append(label)
    return found
