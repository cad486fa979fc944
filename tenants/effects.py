"""What a change of a custom role means for the people who hold it: what they gain, what they lose, and where."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from tenants.models import CustomRole, OrganizationRole, SpaceRole, in_force
from tenants.permissions import OF_ROLE, TABLE, everywhere

Row = OrganizationRole | SpaceRole


@dataclass(frozen=True)
class Effect:
    """What changes for the holder of one grant, beside all else that they hold there; both in the table's order."""

    row: Row
    gains: list[str]
    loses: list[str]


@dataclass(frozen=True)
class Preview:
    """``mark`` goes along with the change, which is refused if the role or its holders are others by then."""

    mark: str
    gained: list[str]
    lost: list[str]
    effects: list[Effect]

    @property
    def affected(self) -> list[Effect]:
        """Those for whom the change makes a difference: other roles may give them the same."""
        return [effect for effect in self.effects if effect.gains or effect.loses]


def grants_of(role: CustomRole) -> QuerySet[Any]:
    """Return the grants of the role that are in force, by person and place, with all that is told of them."""
    model: Any = OrganizationRole if role.where == CustomRole.Where.ORGANIZATION else SpaceRole
    rows = model.objects.filter(in_force(), permission=role.permission_id, content_object__deleting_at=None)
    joined = ("user", "granted_by", "permission__custom_role")
    there = ("content_object",) if model is OrganizationRole else ("content_object__organization",)
    return rows.select_related(*joined, *there).order_by("user__username", "content_object__name", "id")


def preview(role: CustomRole, verbs: Iterable[str]) -> Preview:
    """Return what it would mean if the role were made of those verbs; of none, if it were taken from everybody."""
    before, after, rows = frozenset(role.verbs), frozenset(verbs), list(grants_of(role))
    beside = _held_beside(role, rows)
    effects = [_effect(row, before, after, beside[row.pk]) for row in rows]
    gained, lost = after - before, before - after
    mark = [role.guid, sorted(before), sorted(after), [[each.row.guid, each.gains, each.loses] for each in effects]]
    digest = hashlib.sha256(json.dumps(mark).encode()).hexdigest()[:32]
    return Preview(digest, in_order(gained), in_order(lost), effects)


def in_order(verbs: Iterable[str]) -> list[str]:
    """Return the verbs as the table has them; what it has no more comes last."""
    asked = frozenset(verbs)
    return [verb for verb in TABLE if verb in asked] + sorted(asked - set(TABLE))


def _effect(row: Row, before: frozenset[str], after: frozenset[str], beside: frozenset[str]) -> Effect:
    had, has = before | beside, after | beside
    user: User = row.user
    told = [verb for verb in in_order(had ^ has) if not everywhere(user, verb)]
    return Effect(row, [verb for verb in told if verb in has], [verb for verb in told if verb in had])


def _held_beside(role: CustomRole, rows: list[Row]) -> dict[int, frozenset[str]]:
    """Return {key of the grant: what its holder's other roles give there}; two queries, whatever their number."""
    spaces = {row.content_object_id for row in rows if isinstance(row, SpaceRole)}
    held: defaultdict[tuple[int, int | None], frozenset[str]] = defaultdict(frozenset)  # (person, space or none)
    for model, there in (
        (OrganizationRole, {"content_object": role.organization_id}),
        (SpaceRole, {"content_object__in": spaces}),
    ):
        others = model.objects.filter(in_force(), user__in={row.user_id for row in rows}, **there)  # type: ignore[attr-defined]
        others = others.exclude(permission=role.permission_id)
        names = ("user", "content_object", "permission__codename", "permission__custom_role__verbs")
        for user, place, name, verbs in others.values_list(*names):
            where = place if model is SpaceRole else None
            held[user, where] |= OF_ROLE[name] if verbs is None else frozenset(verbs)
    return {
        row.pk: held[row.user_id, None] | (held[row.user_id, row.content_object_id] if spaces else frozenset())
        for row in rows
    }
