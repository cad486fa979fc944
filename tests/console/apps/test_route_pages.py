"""The routes of a space and of an app."""

from __future__ import annotations

from typing import Any

import pytest

from apps.actions import app as apps
from apps.actions import destination, route
from apps.models import App, Destination, Domain, Route
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain(db: None) -> Domain:
    return Domain.objects.create(name="apps.example")


@pytest.fixture
def made(alice: Any, space: Any, domain: Domain) -> Route:
    return route.create(alice, space, domain=domain, host="site")


def test_a_space_without_routes_says_what_they_are(browser: Any, bob: Any, space: Any) -> None:
    text = browser(bob).get(f"/spaces/{space.guid}/routes").content.decode()
    assert "No routes yet" in text
    assert "Create a route" not in text


def test_a_route_is_created_and_then_mapped(
    browser: Any, alice: Any, space: Any, domain: Domain, app: App, recorded: Any
) -> None:
    client = browser(alice)
    sent = {"host": "Docs", "domain": domain.guid, "path": "/all"}
    answer = client.post(f"/spaces/{space.guid}/routes/new", sent)
    found = Route.objects.get()
    assert (found.host, found.path) == ("docs", "/all")
    assert answer["Location"] == f"/routes/{found.guid}"
    assert "leads to no app" in client.get(f"/routes/{found.guid}").content.decode()
    for _ in range(2):
        client.post(f"/routes/{found.guid}/map", {"app": app.guid})
    assert Destination.objects.get().app == app
    assert recorded("audit.route.create").actor_guid == alice.guid
    assert found.url in client.get(f"/spaces/{space.guid}/routes").content.decode()


def test_what_is_refused_stays_in_the_form(browser: Any, alice: Any, space: Any, domain: Domain, made: Route) -> None:
    for host, said in (("site", "already exists"), ("not valid!", "Host must be")):
        answer = browser(alice).post(
            f"/spaces/{space.guid}/routes/new", {"host": host, "domain": domain.guid, "path": ""}
        )
        assert answer.status_code == 200
        assert said in answer.content.decode()
        assert f'value="{host}"' in answer.content.decode()
    assert Route.objects.count() == 1


def test_a_private_domain_of_others_is_no_choice(browser: Any, alice: Any, space: Any, other_space: Any) -> None:
    theirs = Domain.objects.create(name="theirs.example", organization=other_space.organization)
    assert "theirs.example" not in browser(alice).get(f"/spaces/{space.guid}/routes").content.decode()
    answer = browser(alice).post(f"/spaces/{space.guid}/routes/new", {"host": "x", "domain": theirs.guid, "path": ""})
    assert answer.status_code == 200
    assert not Route.objects.exists()


def test_unmap_from_the_route_and_from_the_app(browser: Any, alice: Any, made: Route, app: App) -> None:
    client = browser(alice)
    for back, where in (("", f"/routes/{made.guid}"), ("app", f"/apps/{app.guid}/routes")):
        destination.add(alice, made, ends=[destination.End(app)])
        answer = client.post(f"/routes/{made.guid}/unmap/{Destination.objects.get().guid}", {"back": back})
        assert answer["Location"] == where
        assert not Destination.objects.exists()
    assert client.post(f"/routes/{made.guid}/unmap/nothing").status_code == 404


def test_delete_asks_first(browser: Any, alice: Any, made: Route, app: App) -> None:
    destination.add(alice, made, ends=[destination.End(app)])
    client = browser(alice)
    assert "site, which runs on" in client.get(f"/routes/{made.guid}/delete").content.decode()
    assert Route.objects.exists()
    assert client.post(f"/routes/{made.guid}/delete")["Location"] == f"/spaces/{made.space.guid}/routes"
    assert not Route.objects.exists()
    assert client.post(f"/routes/{made.guid}/delete").status_code == 404


def test_the_app_lists_maps_and_creates_its_routes(
    browser: Any, alice: Any, made: Route, domain: Domain, app: App
) -> None:
    client, page = browser(alice), f"/apps/{app.guid}/routes"
    assert "No route leads here" in client.get(page).content.decode()
    assert client.post(f"{page}/map", {"route": made.guid})["Location"] == page
    assert client.post(f"{page}/new", {"host": "two", "domain": domain.guid, "path": ""})["Location"] == page
    text = client.get(page).content.decode()
    assert made.url in text
    assert "two.apps.example" in text
    answer = client.post(f"{page}/new", {"host": "two", "domain": domain.guid, "path": ""})
    assert "already exists" in answer.content.decode()


def test_a_route_of_another_space_is_not_mapped(
    browser: Any, alice: Any, app: App, other_space: Any, domain: Domain
) -> None:
    theirs = Route.objects.create(space=other_space, domain=domain, host="theirs")
    assert browser(alice).post(f"/apps/{app.guid}/routes/map", {"route": theirs.guid}).status_code == 404
    assert not Destination.objects.exists()


def test_an_auditor_sees_and_changes_nothing(browser: Any, bob: Any, made: Route, app: App, domain: Domain) -> None:
    client = browser(bob)
    for page in (f"/routes/{made.guid}", f"/apps/{app.guid}/routes", f"/spaces/{made.space.guid}/routes"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert '<form method="post" action="/routes' not in answer.content.decode()
    assert client.get(f"/routes/{made.guid}/delete").status_code == 403
    new = {"host": "x", "domain": domain.guid, "path": ""}
    for page, sent in (
        (f"/routes/{made.guid}/delete", {}),
        (f"/routes/{made.guid}/map", {"app": app.guid}),
        (f"/spaces/{made.space.guid}/routes/new", new),
        (f"/apps/{app.guid}/routes/new", new),
        (f"/apps/{app.guid}/routes/map", {"route": made.guid}),
    ):
        assert client.post(page, sent).status_code == 403, page


def test_a_stranger_finds_no_route(browser: Any, charlie: Any, made: Route, app: App) -> None:
    for page in (f"/routes/{made.guid}", f"/routes/{made.guid}/delete"):
        assert browser(charlie).get(page).status_code == 404
    assert browser(charlie).post(f"/routes/{made.guid}/map", {"app": app.guid}).status_code == 404


def test_many_routes_cost_as_many_queries_as_few(
    browser: Any, alice: Any, made: Route, app: App, space: Any, domain: Domain
) -> None:
    destination.add(alice, made, ends=[destination.End(app)])
    client = browser(alice)
    pages = (f"/spaces/{space.guid}/routes", f"/apps/{app.guid}/routes", f"/routes/{made.guid}")
    few = [queries(client, page) for page in pages]
    for number in range(20):
        another = route.create(alice, space, domain=domain, host=f"r{number}")
        other = apps.create(alice, space, name=f"other-{number}")
        destination.add(alice, another, ends=[destination.End(app), destination.End(other)])
        destination.add(alice, made, ends=[destination.End(other)])
    assert [queries(client, page) for page in pages] == few
