"""What is seen of instances is written by several workers at once: an older look never undoes a newer one."""

from __future__ import annotations

from typing import Any

import pytest

from apps import routing
from apps.actions import app as apps
from apps.actions import process as processes
from apps.jobs.look import Look, look, note
from apps.models import App, Destination, Instance, Route
from paas.lib.queue import work
from paas.seams.runtimes.fake import FakeRuntime


def endpoints() -> int:
    return sum(len(target.endpoints) for route in routing.table(0).routes for target in route.targets)


@pytest.fixture
def route(app: App, route: Route) -> Route:
    """The route leads to the app."""
    Destination.objects.create(route=route, app=app, process_type="web", port=8080)
    return route


@pytest.fixture
def rows(running: App, route: Route) -> list[Instance]:
    assert endpoints() == 1
    return list(Instance.objects.all())


def test_what_was_seen_before_it_was_ready_does_not_take_it_out_of_the_router(
    alice: Any, app: App, route: Route, droplet: Any, runtime: FakeRuntime, converge: Any
) -> None:
    early = look()
    apps.start(alice, app)
    converge(app)
    rows = list(Instance.objects.all())
    assert early.seen == {} and not note(rows, early)
    assert endpoints() == 1 and rows[0].state == "running"


def test_what_is_seen_later_is_believed(rows: list[Instance], runtime: FakeRuntime) -> None:
    runtime.instances.clear()
    assert note(rows, look())
    assert endpoints() == 0 and Instance.objects.get().state == "unknown"


def test_rows_that_were_read_before_somebody_else_wrote_are_brought_up_to_date(
    rows: list[Instance], runtime: FakeRuntime
) -> None:
    early, held = look(), list(Instance.objects.all())
    runtime.instances.clear()
    note(rows, look())
    assert not note(held, Look(early.began, {}))
    assert (held[0].state, held[0].ready) == ("unknown", False)


def test_a_restart_that_was_asked_for_during_the_look_is_not_forgotten(
    alice: Any, running: App, rows: list[Instance], runtime: FakeRuntime
) -> None:
    processes.restart_instance(alice, running.processes.get(type="web"), index=0)
    runtime.crash(rows[0].guid)
    assert not note(rows, look())
    assert Instance.objects.get().state == "stopping"
    work("apps.jobs.converge", running.pk)
    assert Instance.objects.get().guid != rows[0].guid
