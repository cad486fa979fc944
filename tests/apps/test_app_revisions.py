"""The versions of an app."""

from __future__ import annotations

import pytest

from apps.actions import app as apps
from apps.actions import deployment as deployments
from apps.models import Process
from apps.v3.shapes.running import HIDDEN


@pytest.fixture
def second(alice, running):
    """A version with a variable and a command, coming up beside the first."""
    apps.set_environment(alice, running, variables={"KEY": "hunter2"})
    Process.objects.filter(app=running, type="web").update(command="serve --key=hunter2")
    return deployments.create(alice, running).revision


def versions(response):
    return [each["version"] for each in response.json()["resources"]]


def test_they_are_listed_with_why_they_are(api, bob, running, second):
    there = f"/v3/apps/{running.guid}/revisions"
    told = api(bob).get(f"{there}?order_by=-created_at").json()["resources"]
    assert [(each["version"], each["description"], each["deployable"]) for each in told] == [
        (2, "New environment variables deployed. Custom start command changed.", True),
        (1, "Initial revision.", True),
    ]
    assert versions(api(bob).get(f"{there}?versions=2&per_page=2&page=1")) == [2]
    assert api(bob).get(f"{there}?versions=two").status_code == 400


def test_only_what_has_its_droplet_is_deployable(api, bob, running, second):
    second.droplet.state = "EXPIRED"
    second.droplet.save()
    there = f"/v3/apps/{running.guid}/revisions"
    assert versions(api(bob).get(f"{there}?deployable=false")) == [1, 2]
    assert api(bob).get(f"/v3/revisions/{second.guid}").json()["deployable"] is False


def test_deployed_are_the_one_that_serves_and_the_one_coming_up(api, alice, bob, running, second, converge):
    there = f"/v3/apps/{running.guid}/revisions/deployed"
    assert versions(api(bob).get(there)) == [1, 2]
    converge(running)
    assert versions(api(bob).get(there)) == [2]
    apps.stop(alice, running)
    assert versions(api(bob).get(there)) == []


def test_secrets_of_a_revision_are_for_who_may_see_them_and_reading_is_recorded(api, alice, bob, second, recorded):
    there = f"/v3/revisions/{second.guid}"
    assert api(alice).get(f"{there}/environment_variables").json()["var"] == {"KEY": "hunter2"}
    assert recorded("audit.app.revision.environment_variables.show").data["revision_version"] == 2
    assert api(alice).get(there).json()["processes"]["web"] == {"command": "serve --key=hunter2"}
    assert api(bob).get(f"{there}/environment_variables").status_code == 403
    assert api(bob).get(there).json()["processes"]["web"] == {"command": HIDDEN}


def test_metadata_changes_and_nothing_else(api, alice, bob, second, recorded):
    there = f"/v3/revisions/{second.guid}"
    told = api(alice).patch(there, {"metadata": {"annotations": {"why": "hotfix"}}}).json()
    assert told["metadata"]["annotations"] == {"why": "hotfix"}
    assert recorded("audit.app.revision.update").data["revision_guid"] == second.guid
    assert api(alice).patch(there, {"description": "x"}).status_code == 422
    assert api(bob).patch(there, {"metadata": {}}).status_code == 403


def test_stranger_finds_nothing(api, charlie, running, second):
    for there, said in (
        (f"/v3/apps/{running.guid}/revisions", "App not found"),
        (f"/v3/apps/{running.guid}/revisions/deployed", "App not found"),
        (f"/v3/revisions/{second.guid}", "Revision not found"),
        (f"/v3/revisions/{second.guid}/environment_variables", "Revision not found"),
    ):
        response = api(charlie).get(there)
        assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, said)
