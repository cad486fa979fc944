"""The page of a space: its apps, how they stand, and what to do where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.actions import app as apps
from apps.actions import destination, push, route
from apps.models import App, Domain, Instance
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


def page(client: Any, space: Any) -> str:
    answer = client.get(f"/spaces/{space.guid}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_space_names_the_three_ways_to_push(browser: Any, alice: Any, space: Any) -> None:
    text = page(browser(alice), space)
    for way in ("new", "new/git", "new/cf"):
        assert f'href="/spaces/{space.guid}/{way}"' in text


def test_an_auditor_of_an_empty_space_is_told_who_pushes(browser: Any, bob: Any, space: Any) -> None:
    text = page(browser(bob), space)
    assert f"/spaces/{space.guid}/new" not in text
    assert "developer of this space" in text


def test_a_stranger_finds_no_space(browser: Any, charlie: Any, space: Any) -> None:
    assert browser(charlie).get(f"/spaces/{space.guid}").status_code == 404
    assert browser(charlie).get(f"/spaces/{space.guid}/routes").status_code == 404
    assert browser(charlie).get("/spaces/%00").status_code == 404


def test_everybody_with_a_role_sees_the_apps(
    browser: Any, bob: Any, dora: Any, root: Any, app: App, space: Any
) -> None:
    for person in (bob, dora, root):
        assert "not pushed yet" in page(browser(person), space).lower()


def test_a_running_app_says_how_many_run_and_where(browser: Any, alice: Any, running: App, space: Any) -> None:
    domain = Domain.objects.create(name="apps.example")
    made = route.create(alice, space, domain=domain, host="site")
    destination.add(alice, made, ends=[destination.End(running)])
    text = page(browser(alice), space)
    assert "Running 1/1" in text
    assert made.url in text


def test_a_stopped_app_says_so(browser: Any, alice: Any, running: App, space: Any) -> None:
    apps.stop(alice, running)
    assert "Stopped" in page(browser(alice), space)


def test_a_crashed_app_says_so(browser: Any, alice: Any, running: App, space: Any) -> None:
    Instance.objects.filter(app=running).update(state="crashed", ready=False)
    assert "Crashed 0/1" in page(browser(alice), space)


def test_what_nobody_watches_is_not_spoken_of_as_seen(browser: Any, alice: Any, app: App, space: Any) -> None:
    assert "Nobody is watching" in page(browser(alice), space)
    space.region.watched_at = timezone.now()
    space.region.save()
    assert "Nobody is watching" not in page(browser(alice), space)


def test_an_app_being_built_says_so(browser: Any, alice: Any, app: App, space: Any) -> None:
    package = push.create_package(alice, app, source_url="https://example.org/app.git")
    push.stage(alice, package)
    assert "Building" in page(browser(alice), space)


def test_many_apps_cost_as_many_queries_as_few(browser: Any, alice: Any, running: App, space: Any) -> None:
    client, address = browser(alice), f"/spaces/{space.guid}"
    few = queries(client, address)
    domain = Domain.objects.create(name="apps.example")
    for number in range(30):
        made = apps.create(alice, space, name=f"app-{number}")
        where = route.create(alice, space, domain=domain, host=f"app-{number}")
        destination.add(alice, where, ends=[destination.End(made)])
    assert queries(client, address) == few
