"""Changing a route, moving it to another space, giving it up."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, Job
from apps import outside
from apps.actions import destination as destinations
from apps.actions import route as routes
from apps.models import Domain, Route
from tenants import access
from tenants.models import FeatureFlag, QuotaUse


@pytest.fixture
def taken(alice, space, domain):
    """A route that was reserved, and so is counted."""
    return routes.create(alice, space, domain=domain, host="site")


@pytest.fixture
def second(alice, make_space, root, space):
    """Another space where alice develops."""
    made = make_space(space.organization, "second")
    access.give(alice, "space_developer", made, by=root)
    return made


def complete(response):
    assert (response.status_code, response.content) == (202, b"")
    job = Job.objects.get(guid=response.headers["Location"].rpartition("/")[2])
    assert job.state == "COMPLETE"
    return job


def test_options_and_metadata_change(api, alice, route, recorded):
    url = f"/v3/routes/{route.guid}"
    body = {"options": {"loadbalancing": "least-connection"}, "metadata": {"labels": {"a": "b"}}}
    shown = api(alice).patch(url, body).json()
    assert (shown["options"], shown["metadata"]["labels"]) == ({"loadbalancing": "least-connection"}, {"a": "b"})
    assert api(alice).patch(url, {"options": {"loadbalancing": None}}).json()["options"] == {}
    assert recorded("audit.route.update").data["changes"] == {"options.loadbalancing": ["least-connection", None]}


def test_how_requests_are_shared_out_is_published(api, alice, running, route, converge):
    destinations.add(alice, route, ends=[destinations.End(running)])
    api(alice).patch(f"/v3/routes/{route.guid}", {"options": {"loadbalancing": "least-connection"}})
    converge(running)
    assert outside.router().find("site.apps.example").balancing == "least-connection"


def test_a_deleted_route_is_gone_and_its_quota_free(api, alice, taken, used, recorded):
    assert complete(api(alice).delete(f"/v3/routes/{taken.guid}")).operation == "route.delete"
    assert not Route.objects.exists()
    assert used().routes == 0
    assert recorded("audit.route.delete-request").target_guid == taken.guid
    assert api(alice).delete(f"/v3/routes/{taken.guid}").status_code == 404
    assert AuditEvent.objects.filter(type="audit.route.delete-request").count() == 1


def test_a_deleted_route_leaves_the_router(api, alice, running, route, converge):
    destinations.add(alice, route, ends=[destinations.End(running)])
    converge(running)
    assert outside.router().find("site.apps.example")
    complete(api(alice).delete(f"/v3/routes/{route.guid}"))
    running.refresh_from_db()
    assert not running.converged
    assert converge(running).converged
    assert outside.router().find("site.apps.example") is None


def test_a_route_that_led_nowhere_wakes_nobody(api, alice, app, route):
    before = app.generation
    complete(api(alice).delete(f"/v3/routes/{route.guid}"))
    app.refresh_from_db()
    assert app.generation == before


@pytest.mark.parametrize("verb", ["patch", "delete"])
def test_an_auditor_may_not(api, bob, route, verb):
    assert getattr(api(bob), verb)(f"/v3/routes/{route.guid}", {}).status_code == 403


@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
def test_a_stranger_finds_no_route(api, charlie, route, verb):
    assert getattr(api(charlie), verb)(f"/v3/routes/{route.guid}", {}).status_code == 404


def test_unmapped_routes_go_at_once(api, alice, bob, charlie, app, route, space, domain, other_space):
    destinations.add(alice, route, ends=[destinations.End(app)])
    Route.objects.create(space=other_space, domain=domain, host="theirs")
    for host in ("one", "two"):
        routes.create(alice, space, domain=domain, host=host)
    url = f"/v3/spaces/{space.guid}/routes?unmapped=true"
    assert api(bob).delete(url).status_code == 403
    assert api(charlie).delete(url).status_code == 404
    assert complete(api(alice).delete(url)).operation == "space.delete_unmapped_routes"
    assert sorted(Route.objects.values_list("host", flat=True)) == ["site", "theirs"]
    complete(api(alice).delete(url))


def test_not_all_routes_of_a_space_go_at_once(api, alice, space):
    answer = api(alice).delete(f"/v3/spaces/{space.guid}/routes")
    assert answer.json()["errors"][0]["detail"].startswith("Mass delete not supported for routes.")


def move(client, route, space):
    return client.patch(f"/v3/routes/{route.guid}/relationships/space", {"data": {"guid": space.guid}})


def test_a_route_moves_to_another_space(api, alice, taken, second, used, recorded):
    for _ in range(2):
        answer = move(api(alice), taken, second)
        assert (answer.status_code, answer.json()["data"]) == (200, {"guid": second.guid})
    taken.refresh_from_db()
    assert taken.space == second
    assert (used().routes, QuotaUse.objects.get(space=second).routes) == (0, 1)
    assert recorded("audit.route.transfer-owner").data == {
        "changes": {"space": ["production", second.name]}, "from_space": used().space.guid, "to_space": second.guid,
    }  # fmt: skip
    assert AuditEvent.objects.filter(type="audit.route.transfer-owner").count() == 1


def test_a_route_does_not_move_away_from_its_apps(api, alice, app, route, second):
    destinations.add(alice, route, ends=[destinations.End(app)])
    assert "unmap them first" in move(api(alice), route, second).json()["errors"][0]["detail"]


def test_a_route_moves_only_between_spaces_that_one_develops_in(api, alice, bob, charlie, route, second, other_space):
    assert move(api(bob), route, route.space).status_code == 403
    assert move(api(charlie), route, other_space).status_code == 404
    assert move(api(alice), route, other_space).json()["errors"][0]["detail"].startswith("Invalid space.")


def test_a_route_does_not_leave_its_domain_behind(api, root, space, other_space):
    own = Domain.objects.create(name="ministry.example", organization=space.organization)
    made = Route.objects.create(space=space, domain=own, host="a")
    assert (
        "is not available in organization 'council'" in move(api(root), made, other_space).json()["errors"][0]["detail"]
    )


def test_a_route_is_shared_with_nobody(api, alice, bob, root, route, second):
    url = f"/v3/routes/{route.guid}/relationships/shared_spaces"
    assert api(bob).get(url).json()["data"] == []
    body = {"data": [{"guid": second.guid}]}
    assert api(bob).post(url, body).status_code == 403
    assert api(alice).post(url, body).json()["errors"][0]["title"] == "CF-FeatureDisabled"
    FeatureFlag.objects.create(name="route_sharing", enabled=True)
    assert api(alice).post(url, body).status_code == api(root).post(url, body).status_code == 422
    assert api(alice).delete(f"{url}/{second.guid}").json()["errors"][0]["detail"].startswith("Unable to unshare")
