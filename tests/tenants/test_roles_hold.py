"""Whatever is given, taken, ended and deleted, in whatever order: what must hold of roles holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.actions import delete_user
from accounts.models import User
from apps.models import App
from paas.lib.errors import PaasError
from tenants import access
from tenants.actions import custom_role, departure, role
from tenants.actions import space as spaces
from tenants.models import (
    CustomRole,
    Departure,
    Organization,
    OrganizationRole,
    Space,
    SpaceRole,
)
from tenants.permissions import ORGANIZATION, ORGANIZATION_ROLES, SPACE, SPACE_ROLES, TABLE, choosable

pytestmark = pytest.mark.django_db
PEOPLE = ("root", "dora", "erin", "alice")
DAYS = st.sampled_from((None, 1, 3))
VERBS = st.sets(st.sampled_from(("member.manage", "role.manage", "app.push", "app.view", "audit.read")), min_size=1)


@dataclass(frozen=True)
class Step:
    """What one person tries, and with what."""

    act: Callable[[World, User, Any], object]
    actor: str
    given: Any

    def __repr__(self) -> str:
        return f"{self.actor} {self.act.__name__} {self.given}"


class World:
    """An organization with two spaces, an app in one, and a role of its own for each kind of place."""

    def __init__(self, organization: Organization, here: list[Space]) -> None:
        self.organization, self.spaces = organization, here

    def person(self, name: str) -> User:
        """Return who has the name, as they are now; the system where the account is gone: it is nobody's to change."""
        return User.objects.filter(username=f"{name}@example.com").first() or User.objects.system()

    def place(self, number: int) -> Organization | Space:
        return (self.organization, *self.spaces)[number]

    def role(self, name: str, place: Organization | Space) -> str:
        names = list(access.roles_of(place))
        return names[int(name) % len(names)]

    def rows(self) -> list[OrganizationRole | SpaceRole]:
        in_spaces = SpaceRole.objects.filter(content_object__organization=self.organization)
        return [
            *OrganizationRole.objects.filter(content_object=self.organization).order_by("pk"),
            *in_spaces.order_by("pk"),
        ]


def _ends(days: int | None) -> Any:
    return timezone.now() + timedelta(days=days) if days else None


def gives(world: World, actor: User, given: Any) -> None:
    who, which, where, days = given
    place = world.place(where)
    role.give(actor, world.person(who), role=world.role(which, place), place=place, expires_at=_ends(days))


def takes(world: World, actor: User, given: Any) -> None:
    number, with_spaces = given
    rows = world.rows()
    role.take(actor, rows[number % len(rows)], with_spaces=with_spaces) if rows else None


def ends(world: World, actor: User, given: Any) -> None:
    number, days = given
    rows = world.rows()
    role.set_end(actor, rows[number % len(rows)], expires_at=_ends(days), reason="") if rows else None


def removes(world: World, actor: User, given: Any) -> None:
    departure.leave(actor, world.person(given), organization=world.organization)


def takes_back(world: World, actor: User, given: Any) -> None:
    if found := Departure.objects.filter(organization=world.organization).order_by("-pk").first():
        departure.undo(actor, found)


def changes_a_role(world: World, actor: User, given: Any) -> None:
    where, verbs = given
    own = CustomRole.objects.filter(organization=world.organization, where=where).first()
    fit = verbs & set(choosable(where))
    if own and fit:
        custom_role.update(actor, own, verbs=fit)


def deletes_a_role(world: World, actor: User, given: Any) -> None:
    if own := CustomRole.objects.filter(organization=world.organization, where=given).first():
        custom_role.delete(actor, own, recursive=True)


def deletes_a_space(world: World, actor: User, given: Any) -> None:
    spaces.delete(actor, world.spaces[1])


def deletes_an_account(world: World, actor: User, given: Any) -> None:
    delete_user(actor, world.person(given))


def waits(world: World, actor: User, given: Any) -> None:
    """Two days pass."""
    for model in (OrganizationRole, SpaceRole):
        for row in model.objects.exclude(expires_at=None):
            row.expires_at -= timedelta(days=2)
            row.save(update_fields=["expires_at"])


# One verb of those that the same roles hold, and those that the custom roles here are made of.
TELLING = {*{line.roles: verb for verb, line in TABLE.items()}.values(), "member.manage", "app.push", "app.view"}
WHO, ROLES = st.sampled_from(PEOPLE[1:]), st.integers(0, 5).map(str)
KINDS = st.sampled_from((ORGANIZATION, SPACE))
STEPS = st.one_of(
    st.builds(Step, st.just(gives), st.sampled_from(PEOPLE), st.tuples(WHO, ROLES, st.integers(0, 2), DAYS)),
    st.builds(Step, st.just(takes), st.sampled_from(PEOPLE), st.tuples(st.integers(0, 20), st.booleans())),
    st.builds(Step, st.just(ends), st.sampled_from(PEOPLE), st.tuples(st.integers(0, 20), DAYS)),
    st.builds(Step, st.just(removes), st.sampled_from(PEOPLE), WHO),
    st.builds(Step, st.just(takes_back), st.sampled_from(PEOPLE), st.none()),
    st.builds(Step, st.just(changes_a_role), st.sampled_from(PEOPLE), st.tuples(KINDS, VERBS)),
    st.builds(Step, st.just(deletes_a_role), st.sampled_from(PEOPLE), KINDS),
    st.builds(Step, st.just(deletes_a_space), st.sampled_from(PEOPLE), st.none()),
    st.builds(Step, st.just(deletes_an_account), st.just("root"), st.just("erin")),
    st.builds(Step, st.just(waits), st.just("root"), st.none()),
)


@pytest.fixture
def world(org, space, make_space, root, dora, alice):
    erin = User.objects.person("erin@example.com", "correct horse battery")
    access.give(erin, "organization_user", org, by=root)
    second = make_space(org, "staging")
    App.objects.create(space=space, name="shop")
    App.objects.create(space=second, name="shop")
    custom_role.create(root, org, name="Helpers", where=ORGANIZATION, verbs=["member.manage", "app.view"])
    custom_role.create(root, org, name="Pushers", where=SPACE, verbs=["app.push"])
    return World(org, [space, second])


@settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a sequence that fails is short, and each try is slow
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_whatever_happens_what_must_hold_holds(world: World, steps: list[Step]) -> None:
    with transaction.atomic():
        for step in steps:
            managed = role.lasting_managers(world.organization).exists()
            actor = User.objects.filter(username=f"{step.actor}@example.com").first()
            if actor is None:
                continue
            try:
                step.act(world, actor, step.given)
            except PaasError:
                continue
            still = role.lasting_managers(world.organization).exists()
            assert still or not managed or actor.is_admin, f"{step} left no manager"
            _nobody_is_half_in(world)
        _sight_is_permission(world)
        transaction.set_rollback(True)


def _nobody_is_half_in(world: World) -> None:
    members = (
        access.role_rows(world.organization).filter(permission__codename=role.MEMBER).values_list("user", flat=True)
    )
    for place in world.spaces:
        if Space.objects.filter(pk=place.pk, deleting_at=None).exists():
            outside = (
                access.role_rows(place).exclude(user__in=members).values_list("user__username", "permission__name")
            )
            assert not outside, f"a role in a space without membership: {list(outside)}"


def _sight_is_permission(world: World) -> None:
    """``visible_to`` and ``where`` answer for a list what ``authorize`` answers for one thing."""
    organization = Organization.objects.get(pk=world.organization.pk)
    there = list(Space.objects.filter(organization=organization, deleting_at=None))
    for person in User.objects.exclude(kind=User.Kind.SYSTEM):
        for place in there:
            for verb in TELLING:
                found = Space.objects.where(person, verb).filter(pk=place.pk).exists()
                assert found == access.may(person, verb, place), f"{person.username} {verb} {place.name}"
            app = App.objects.get(space=place)
            assert (app in App.objects.visible_to(person)) == access.may(person, "app.view", app)
        seen = Organization.objects.visible_to(person).filter(pk=organization.pk).exists()
        assert seen == access.may(person, "organization.view", organization)


@pytest.mark.parametrize("name", [*ORGANIZATION_ROLES, *SPACE_ROLES])
def test_each_role_alone_sees_what_it_may(world: World, name: str, charlie: User, root: User) -> None:
    place: Organization | Space = world.spaces[0] if name in SPACE_ROLES else world.organization
    access.give(charlie, name, place, by=root)
    _sight_is_permission(world)
