"""Reading routes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.models import App, Destination, Domain, Route
from paas.lib.models import new_guid


def lead(route, app):
    return Destination.objects.create(guid=new_guid(), route=route, app=app)


def hosts(client, query=""):
    response = client.get(f"/v3/routes{query}")
    assert response.status_code == 200, response.content
    return [each["host"] for each in response.json()["resources"]]


@pytest.fixture
def several(space, other_space, domain, app):
    """Three routes of alice's, one of them mapped, and one of charlie's."""
    one = Route.objects.create(space=space, domain=domain, host="one")
    Route.objects.create(space=space, domain=domain, host="two", path="/api")
    own = Domain.objects.create(name="ministry.example", organization=space.organization)
    Route.objects.create(space=space, domain=own)
    Route.objects.create(space=other_space, domain=domain, host="theirs")
    lead(one, app)
    return one


def test_each_sees_the_routes_of_their_spaces(api, alice, bob, charlie, root, several):
    assert hosts(api(alice)) == hosts(api(bob)) == ["one", "two", ""]
    assert hosts(api(charlie)) == ["theirs"]
    assert hosts(api(root)) == ["one", "two", "", "theirs"]


def test_one_route(api, alice, charlie, several, app):
    shown = api(alice).get(f"/v3/routes/{several.guid}").json()
    assert shown["destinations"][0]["app"] == {"guid": app.guid, "process": {"type": "web"}}
    answer = api(charlie).get(f"/v3/routes/{several.guid}")
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "Route not found")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("hosts=ONE,two", ["one", "two"]),
        ("hosts=", [""]),
        ("paths=%2Fapi", ["two"]),
        ("paths=", ["one", ""]),
        ("ports=", ["one", "two", ""]),
        ("ports=0", ["one", "two", ""]),
        ("ports=1024", []),
        ("mapped=true", ["one"]),
        ("mapped=false", ["two", ""]),
        ("app_guids={app}", ["one"]),
        ("space_guids={space}", ["one", "two", ""]),
        ("space_guids=nowhere", []),
        ("organization_guids={org}", ["one", "two", ""]),
        ("domain_guids={domain}", ["one", "two"]),
        ("service_instance_guids=none", []),
        ("per_page=1&page=2", ["two"]),
        ("order_by=-created_at", ["", "two", "one"]),
    ],
)
def test_filters(api, alice, several, app, space, org, domain, query, found):
    filled = query.format(app=app.guid, space=space.guid, org=org.guid, domain=domain.guid)
    assert hosts(api(alice), f"?{filled}") == found


@pytest.mark.parametrize("query", ["mapped=perhaps", "colour=red", "order_by=host", "include=app"])
def test_what_is_not_known_is_refused(api, alice, several, query):
    assert api(alice).get(f"/v3/routes?{query}").json()["errors"][0]["title"] == "CF-BadQueryParameter"


def test_what_is_included_comes_once(api, alice, several):
    included = api(alice).get("/v3/routes?include=domain,space,space.organization").json()["included"]
    assert [domain["name"] for domain in included["domains"]] == ["apps.example", "ministry.example"]
    assert [space["name"] for space in included["spaces"]] == ["production"]
    assert [organization["name"] for organization in included["organizations"]] == ["ministry"]


def test_the_routes_of_an_app(api, alice, charlie, several, app):
    found = api(alice).get(f"/v3/apps/{app.guid}/routes").json()["resources"]
    assert [route["guid"] for route in found] == [several.guid]
    answer = api(charlie).get(f"/v3/apps/{app.guid}/routes")
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (404, "App not found")


def test_the_number_of_queries_does_not_grow(api, alice, space, domain, app):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = api(alice).get("/v3/routes?per_page=5000&include=domain,space,space.organization")
        return len(queries), len(answer.json()["resources"])

    def add(number):
        for each in range(number):
            lead(Route.objects.create(space=space, domain=domain, host=f"r{Route.objects.count()}-{each}"), app)

    add(1)
    few, _ = count()
    add(50)
    many, shown = count()
    assert (many, shown) == (few, 51)


def test_an_app_with_several_routes_is_listed_with_each(api, alice, several, space):
    second = App.objects.create(space=space, name="second")
    lead(several, second)
    found = api(alice).get(f"/v3/routes?app_guids={second.guid}").json()["resources"]
    assert len(found[0]["destinations"]) == 2
