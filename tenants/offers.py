"""Roles that are offered before they are held: what an organization has to offer, and what an invitation keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from tenants.models import CustomRole, Invitation, Organization, Space
from tenants.permissions import ORGANIZATION, ORGANIZATION_ROLES, OU, SPACE, SPACE_ROLES


@dataclass(frozen=True)
class Offer:
    """A role somewhere, until a moment or for good. ``role`` is its codename: a custom role's is its guid."""

    role: str
    label: str
    place: Organization | Space
    expires_at: datetime | None = None

    def kept(self) -> dict[str, Any]:
        """Return what an invitation keeps of it."""
        return {
            "role": self.role,
            "space": self.place.guid if isinstance(self.place, Space) else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
        }


class Choices:
    """The roles and spaces that an organization has to offer; two queries, whatever their number."""

    def __init__(self, organization: Organization, spaces: QuerySet[Space] | None = None) -> None:
        own = list(CustomRole.objects.filter(organization=organization).order_by(Lower("name")))
        there = (Space.objects.all() if spaces is None else spaces).filter(organization=organization, deleting_at=None)
        self.organization = organization
        self.in_organization = ORGANIZATION_ROLES | {role.guid: role.name for role in own if role.where == ORGANIZATION}
        self.in_spaces = SPACE_ROLES | {role.guid: role.name for role in own if role.where == SPACE}
        self.spaces: Mapping[str, Space] = {space.guid: space for space in there.order_by(Lower("name"), "id")}
        for space in self.spaces.values():
            space.organization = organization

    def offer(self, role: str, space: str | None = None, expires_at: datetime | None = None) -> Offer | None:
        """Return the offer, or None where there is no such role or space (any more)."""
        names = self.in_spaces if space else self.in_organization
        place = self.spaces.get(space) if space else self.organization
        return Offer(role, names[role], place, expires_at) if place and role in names else None

    def of(self, invitation: Invitation) -> list[Offer]:
        """Return what the invitation can still give: roles and spaces may be gone, and some may have ended."""
        now = timezone.now()
        rows = ((row["role"], row["space"], _moment(row["expires_at"])) for row in invitation.roles)
        found = (self.offer(role, space, end) for role, space, end in rows if end is None or end > now)
        return [offer for offer in found if offer]


def with_membership(organization: Organization, offered: Sequence[Offer]) -> list[Offer]:
    """Return the offers with the membership, which all others need and which lasts as long as any of them, first."""
    if member := next((offer for offer in offered if offer.role == OU), None):
        return [member, *(offer for offer in offered if offer is not member)]
    ends = [offer.expires_at for offer in offered]
    last = max((end for end in ends if end), default=None) if None not in ends else None
    return [Offer(OU, ORGANIZATION_ROLES[OU], organization, last), *offered]


def in_words(offered: Iterable[Offer]) -> list[tuple[str, str, datetime | None]]:
    """Return (where, what, until when) for each place and end, for people to read."""
    lines: dict[tuple[str, datetime | None], list[str]] = {}
    for offer in offered:
        where = f"Space {offer.place.name}" if isinstance(offer.place, Space) else offer.place.name
        lines.setdefault((where, offer.expires_at), []).append(offer.label)
    return [(where, ", ".join(labels), end) for (where, end), labels in lines.items()]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
