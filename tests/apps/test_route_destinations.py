"""Leading a route to apps."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps import outside, routing
from apps.actions import app as apps
from apps.models import App, Destination, Domain, Route


def url(route):
    return f"/v3/routes/{route.guid}/destinations"


def end(app, **fields):
    return {"app": {"guid": app.guid}, **fields}


def add(client, route, *ends):
    return client.post(url(route), {"destinations": list(ends)})


def said(response):
    assert response.status_code == 422, response.content
    return [error["detail"] for error in response.json()["errors"]]


def test_a_route_is_led_to_an_app(api, alice, app, route, recorded):
    answer = add(api(alice), route, end(app))
    assert answer.status_code == 200
    (shown,) = answer.json()["destinations"]
    assert shown["app"] == {"guid": app.guid, "process": {"type": "web"}}
    assert (shown["port"], shown["weight"], shown["protocol"]) == (8080, None, "http1")
    assert answer.json()["links"]["route"]["href"].endswith(f"/v3/routes/{route.guid}")
    event = recorded("audit.app.map-route")
    assert (event.target_guid, event.data["route_guid"]) == (app.guid, route.guid)


def test_a_running_app_answers_there_at_once_though_nothing_else_changed(api, alice, running, route, converge):
    assert running.converged
    add(api(alice), route, end(running))
    running.refresh_from_db()
    assert not running.converged
    assert converge(running).converged
    found = outside.router().find("site.apps.example")
    assert [target.endpoints[0].instance for target in found.targets] == [running.running.get().guid]


def test_an_app_that_is_taken_off_a_route_does_not_answer_there(api, alice, running, route, converge, recorded):
    shown = add(api(alice), route, end(running)).json()["destinations"][0]
    converge(running)
    answer = api(alice).delete(f"{url(route)}/{shown['guid']}")
    assert (answer.status_code, answer.content) == (204, b"")
    converge(running)
    assert outside.router().find("site.apps.example") is None
    assert recorded("audit.app.unmap-route").data["destination_guid"] == shown["guid"]
    assert said(api(alice).delete(f"{url(route)}/{shown['guid']}")) == [
        "Unable to unmap route from destination. Ensure the route has a destination with this guid."
    ]


def test_a_stopped_app_on_a_route_is_known_to_the_router(api, alice, app, route, converge):
    add(api(alice), route, end(app))
    converge(app)
    assert outside.router().find("site.apps.example").targets[0].endpoints == ()


def test_twice_is_harmless(api, alice, app, route):
    for _ in range(2):
        assert len(add(api(alice), route, end(app)).json()["destinations"]) == 1
    assert AuditEvent.objects.filter(type="audit.app.map-route").count() == 1
    app.refresh_from_db()
    assert app.generation == 1


def test_an_auditor_may_not(api, bob, alice, app, route):
    assert add(api(bob), route, end(app)).status_code == 403
    assert api(bob).patch(url(route), {"destinations": []}).status_code == 403
    shown = add(api(alice), route, end(app)).json()["destinations"][0]
    assert api(bob).get(url(route)).json()["destinations"] == [shown]
    assert api(bob).delete(f"{url(route)}/{shown['guid']}").status_code == 403
    assert api(bob).patch(f"{url(route)}/{shown['guid']}", {"protocol": "http1"}).status_code == 403


def test_a_stranger_finds_no_route(api, charlie, app, route):
    assert add(api(charlie), route, end(app)).status_code == 404
    assert api(charlie).get(url(route)).status_code == 404
    assert api(charlie).patch(url(route), {"destinations": []}).status_code == 404
    assert api(charlie).delete(f"{url(route)}/any").status_code == 404
    assert api(charlie).patch(f"{url(route)}/any", {"protocol": "http1"}).status_code == 404


def test_an_app_that_one_does_not_see_does_not_exist(api, alice, charlie, route, other_space):
    theirs = apps.create(charlie, other_space, name="theirs")
    assert said(add(api(alice), route, end(theirs))) == [
        f'App(s) with guid(s) "{theirs.guid}" do not exist or you do not have access.'
    ]


def test_an_app_of_another_space_is_refused(api, root, route, other_space):
    theirs = App.objects.create(space=other_space, name="theirs")
    assert said(add(api(root), route, end(theirs))) == ["Routes cannot be mapped to destinations in different spaces."]


def test_all_are_replaced_at_once(api, alice, app, route, space):
    second = App.objects.create(space=space, name="second")
    add(api(alice), route, end(app))
    body = {"destinations": [end(app, weight=90), end(second, weight=10, port=9000)]}
    shown = api(alice).patch(url(route), body).json()["destinations"]
    assert [(one["app"]["guid"], one["weight"], one["port"]) for one in shown] == [
        (app.guid, 90, 8080),
        (second.guid, 10, 9000),
    ]
    assert said(api(alice).delete(f"{url(route)}/{shown[0]['guid']}")) == [
        "Weighted destinations cannot be deleted individually."
    ]
    third = {"app": {"guid": second.guid, "process": {"type": "api"}}}
    assert said(add(api(alice), route, third))[0].startswith("Destinations cannot be inserted")
    assert api(alice).patch(url(route), {"destinations": []}).json()["destinations"] == []
    app.refresh_from_db()
    assert app.generation == 3


def test_destinations_are_found_by_app_and_guid(api, alice, app, route, space):
    second = App.objects.create(space=space, name="second")
    shown = add(api(alice), route, end(app), end(second)).json()["destinations"]
    assert api(alice).get(f"{url(route)}?app_guids={second.guid}").json()["destinations"] == [shown[1]]
    assert api(alice).get(f"{url(route)}?guids={shown[0]['guid']}").json()["destinations"] == [shown[0]]


def test_the_protocol_is_the_one_that_the_router_speaks(api, alice, app, route):
    shown = add(api(alice), route, end(app)).json()["destinations"][0]
    one = f"{url(route)}/{shown['guid']}"
    assert api(alice).patch(one, {"protocol": "http1"}).json()["guid"] == shown["guid"]
    assert api(alice).patch(one, {"protocol": None}).json()["protocol"] == "http1"
    assert said(api(alice).patch(one, {"protocol": "http2"}))[0].startswith("Protocol must be 'http1'")


@pytest.mark.parametrize(
    ("destinations", "sentence"),
    [
        ([], "Destinations must be an array containing between 1 and 100 destination objects."),
        ("all", "Destinations must be an array containing between 1 and 100 destination objects."),
        (["app"], "Destinations[0]: must be an object."),
        ([{}], 'Destinations[0]: must have an "app".'),
        ([{"app": {}}], 'Destinations[0]: app must have the structure {"guid": "app_guid"}'),
        (
            [{"app": {"guid": "a", "process": "web"}}],
            'Destinations[0]: process must have the structure {"type": "process_type"}',
        ),
        ([{"app": {"guid": "a"}, "port": 80}], "Destinations[0]: port must be a positive integer between 1024 and"),
        ([{"app": {"guid": "a"}, "weight": 5}], "Destinations[0]: weighted destinations can only be used when"),
        ([{"app": {"guid": "a"}, "protocol": "http2"}], "Destinations[0]: protocol must be 'http1'"),
        ([{"app": {"guid": "a"}, "colour": 1}], 'Destinations[0]: must have only "app" and optionally'),
    ],
)
def test_wrong_destinations_are_refused_with_a_sentence(api, alice, route, destinations, sentence):
    assert said(api(alice).post(url(route), {"destinations": destinations}))[0].startswith(sentence)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ((50, None), "Destinations cannot contain both weighted and unweighted destinations."),
        ((50, 40), "Destinations must have weights that sum to 100."),
        ((0, 100), "Destinations[0]: weight must be a positive integer between 1 and 100."),
        ((None, None), "Destinations cannot contain duplicate entries"),
    ],
)
def test_wrong_weights_are_refused(api, alice, app, route, weights, sentence):
    body = {"destinations": [end(app, weight=weight) for weight in weights]}
    assert said(api(alice).patch(url(route), body)) == [sentence]


def test_of_two_routes_at_one_address_the_older_is_published(space, other_space, domain, app, runtime):
    """Rows that came to be at the same moment must not keep the whole table from the router."""
    older = Route.objects.create(space=space, domain=domain, host="own")
    newer = Route.objects.create(space=other_space, domain=Domain.objects.create(name="own.apps.example"))
    for number, each in enumerate((newer, older)):
        Destination.objects.create(guid=str(number), route=each, app=app)
    routing.publish()
    assert outside.router().find("own.apps.example").guid == older.guid
