"""Every URL and every operation, with every role, a stranger and nobody: who gets what follows from the tables of verbs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tenants import access
from tests.walk import doors
from tests.walk.people import CAST, FROZEN, MINISTRY, THERE, Person, holds
from tests.walk.rows import Outcome, Row
from tests.walk.table import TABLE
from tests.walk.walker import ask, became, client, offers, text_of
from tests.walk.world import World, build, seams

pytestmark = pytest.mark.django_db
ADMIN = next(person for person in CAST if person.is_admin)
# Verbs of the documentation that no door asks for: what they tell is seen with its place, or decided on another floor;
# shells, services and bills come later.
UNASKED = {
    "app.ssh", "billing.view",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[World]:
    """One world for the whole walk: nobody leaves anything changed."""
    with django_db_blocker.unblock(), seams(tmp_path_factory.mktemp("state")), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


def test_the_table_holds_every_operation_and_no_other(world: World) -> None:
    there = doors.operations(client(Row("GET", "console"), world.things(ADMIN)))
    known = {row.operation for row in TABLE}
    wrong = [f"The table has no row for {method} {pattern}" for method, pattern in sorted(there - known)]
    wrong += [f"There is no {method} {pattern} any more" for method, pattern in sorted(known - there)]
    assert not wrong, "\n".join(wrong)


def test_every_verb_is_walked() -> None:
    asked = {verb.removeprefix(THERE) for row in TABLE for verb in (row.see, row.do)}
    services = {verb for verb in access.TABLE if verb.startswith("service.")}
    assert set(access.TABLE) - asked - services == UNASKED


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} /{row.pattern}")
def test_each_role_gets_what_the_tables_say(row: Row, world: World) -> None:
    wrong = [f"{person}: {said}" for person in CAST if (said := _walk(row, person, world))]
    assert not wrong, "\n".join(wrong)


def _walk(row: Row, person: Person, world: World) -> str:
    """Return what is wrong with the answer to the person, or nothing."""
    things = world.things(person)
    due = row.outcome(person)

    def look(answer: Any, written: list[str]) -> str:
        got = became(row, answer)
        if got != due and got not in _as_good_as(due, row, person):
            return f"due was that {due.value}, got: {got.value if isinstance(got, Outcome) else got}"
        if written and due not in (Outcome.DONE, Outcome.CANNOT):
            return f"{due.value}, and yet something was written: {written}"
        text = text_of(answer)
        if row.shows and due is Outcome.DONE and (getattr(things, row.shows) in text) != row.seen_by(person):
            return f"{row.shows} is {'not ' if row.seen_by(person) else ''}in the list"
        offered = [] if row.is_api or answer.status_code != 200 else offers(text)
        useless = [f"{method} /{pattern}" for method, pattern in offered if not _of_use(method, pattern, person)]
        return f"what the page offers is refused: {useless}" if useless else _told_too_much(person, text, world)

    return ask(row, things, look)


def _as_good_as(due: Outcome, row: Row, person: Person) -> set[Outcome]:
    """Where an organization is suspended, a page with a form may be shown, and a verb that lacks may be named first."""
    if due is Outcome.SUSPENDED and row.method == "GET":
        return {Outcome.DONE}
    if due is Outcome.REFUSED and person.suspended:
        return {Outcome.SUSPENDED}
    return {Outcome.UNKNOWN} if due is Outcome.CANNOT else set()


def _of_use(method: str, pattern: str, person: Person) -> bool:
    """Whether a link or a button leads anywhere for the person: that is all that a role matrix of pages can say."""
    vain = (Outcome.REFUSED, Outcome.HIDDEN)  # a link that asks for a sign-in first leads on
    rows = [row for row in TABLE if row.operation == (method, pattern)]
    return any(row.outcome(person) not in vain for row in rows)


def _told_too_much(person: Person, text: str, world: World) -> str:
    """Return what the answer holds that the person may not read."""
    for name in (MINISTRY, FROZEN):
        at_home = person.home == name or bool(person.platform_role)
        there = world.there[name]
        for verbs, kept in (
            (("app.see_environment",), (there.variable,)),
            (("app.see_secrets",), (there.command,)),
            (("space.view", f"{THERE}audit.read"), (there.app_name, there.other_name, there.space_name)),
        ):
            if not (at_home and any(holds(person, verb) for verb in verbs)) and any(each in text for each in kept):
                return f"what {verbs[0]} keeps from them in {name} is told"
    return ""


def test_nobody_gets_in_with_a_session_where_a_token_is_asked_for(world: World) -> None:
    made = Client()
    made.cookies = client(Row("GET", "console"), world.things(ADMIN)).cookies
    assert made.get("/v3/organizations").status_code == 401
