"""Bringing a droplet or an earlier revision up through the v3 API."""

from __future__ import annotations

import pytest

from apps.actions import app as apps
from apps.models import App, Deployment, Process, Sidecar
from tenants import access


def deploy(client, app, **fields):
    return client.post("/v3/deployments", {"relationships": {"app": {"data": {"guid": app.guid}}}, **fields})


def detail(response):
    return response.json()["errors"][0]["detail"]


def test_a_droplet_is_deployed_beside_what_runs(api, alice, running, make_droplet, converge, recorded):
    newer = make_droplet(running)
    response = deploy(api(alice), running, droplet={"guid": newer.guid}, strategy="rolling")
    assert response.status_code == 201
    told = response.json()
    assert (told["status"]["value"], told["status"]["reason"]) == ("ACTIVE", "DEPLOYING")
    assert told["droplet"]["guid"] == newer.guid
    assert told["previous_droplet"]["guid"] == running.droplet.guid
    assert {"guid": running.guid, "type": "web"} in told["new_processes"]
    assert told["revision"]["version"] == 2
    assert told["options"] == {"max_in_flight": 1}
    assert told["links"]["cancel"]["method"] == "POST"
    app = converge(running)
    assert app.droplet == newer
    status = api(alice).get(f"/v3/deployments/{told['guid']}").json()["status"]
    assert (status["value"], status["reason"]) == ("FINALIZED", "DEPLOYED")
    assert recorded("audit.app.deployment.create").data["deployment_guid"] == told["guid"]


def test_the_first_push_of_a_stopped_app_may_be_rolling(api, alice, app, make_droplet, converge, used):
    first = make_droplet(app)
    told = deploy(api(alice), app, droplet={"guid": first.guid}, strategy="rolling").json()
    assert told["status"]["reason"] == "DEPLOYING"
    app = converge(app)
    assert (app.state, app.droplet, app.serving.guid) == ("STARTED", first, told["guid"])
    assert used().memory_mb == 1024


def test_options_size_the_web_process_in_the_same_go(api, alice, running, converge, used, recorded):
    options = {
        "max_in_flight": 2,
        "web_instances": "3",
        "memory_in_mb": 256,
        "disk_in_mb": None,
        "log_rate_limit_in_bytes_per_second": None,
    }
    told = deploy(api(alice), running, options=options).json()
    assert told["options"] == {"max_in_flight": 2, "web_instances": 3, "memory_in_mb": 256}
    assert (used().instances, used().memory_mb) == (3, 768)
    app = converge(running)
    assert list(app.running.values_list("memory_mb", flat=True)) == [256, 256, 256]
    assert recorded("audit.app.process.scale").data["changes"]["instances"] == [1, 3]


def test_sizes_apply_to_the_first_push_too(api, alice, app, droplet, used):
    deploy(api(alice), app, options={"web_instances": 2, "memory_in_mb": 128})
    assert (used().instances, used().memory_mb) == (2, 256)


def test_rollback_returns_to_droplet_environment_commands_and_sidecars(api, alice, running, make_droplet, converge):
    first = running.revisions.get()
    apps.set_environment(alice, running, variables={"A": "1"})
    Process.objects.filter(app=running, type="web").update(command="serve")
    Sidecar.objects.create(app=running, name="proxy", command="bin/proxy", process_types=["web"])
    deploy(api(alice), running, droplet={"guid": make_droplet(running).guid})
    converge(running)
    told = deploy(api(alice), running, revision={"guid": first.guid}, strategy="rolling")
    assert told.status_code == 201
    app = converge(running)
    assert (app.droplet, app.environment) == (first.droplet, {})
    assert app.processes.get(type="web").command is None
    assert not app.sidecars.exists()
    newest = app.revisions.latest("version")
    assert (newest.version, newest.description) == (3, "Rolled back to revision 1.")
    assert app.serving.revision == newest


def test_rollback_forward_brings_sidecars_back(api, alice, running, converge):
    Sidecar.objects.create(app=running, name="proxy", command="bin/proxy", process_types=["web"], memory_mb=64)
    deploy(api(alice), running)
    second = running.revisions.latest("version")
    deploy(api(alice), running, revision={"guid": running.revisions.earliest("version").guid})
    deploy(api(alice), running, revision={"guid": second.guid})
    assert list(running.sidecars.values_list("name", "memory_mb", "origin")) == [("proxy", 64, "user")]


def test_a_revision_without_its_droplet_cannot_come_back(api, alice, running):
    first = running.revisions.get()
    first.droplet.state = "EXPIRED"
    first.droplet.save()
    response = deploy(api(alice), running, revision={"guid": first.guid})
    assert response.status_code == 422
    assert detail(response) == "Unable to deploy this revision, the droplet for this revision no longer exists."


def test_without_revisions_there_is_no_rollback(api, alice, running):
    App.objects.filter(pk=running.pk).update(revisions_enabled=False)
    response = deploy(api(alice), running, revision={"guid": running.revisions.get().guid})
    assert detail(response) == "Cannot create deployment from a revision for an app without revisions enabled"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"strategy": "canary"}, "This platform does not make canary deployments"),
        (
            {"options": {"canary": {"steps": [{"instance_weight": 10}]}}},
            "This platform does not make canary deployments",
        ),
        ({"strategy": "blue-green"}, "Strategy 'blue-green' is not a supported deployment strategy"),
        ({"droplet": {"guid": "nope"}}, "Unable to assign current droplet. Ensure the droplet exists"),
        ({"revision": {"guid": "nope"}}, "The revision does not exist"),
        ({"droplet": {"guid": "a"}, "revision": {"guid": "b"}}, "Cannot set both fields 'droplet' and 'revision'"),
        ({"options": {"max_in_flight": 0}}, "Options max in flight must be greater than 0"),
        ({"options": {"speed": 1}}, "Unknown field(s): 'speed'"),
        ({"relationships": {"app": {"data": {"guid": "nope"}}}}, "Unable to use app. Ensure that the app exists"),
    ],
)
def test_a_wrong_body_is_refused(api, alice, running, fields, said):
    response = deploy(api(alice), running, **fields)
    assert response.status_code == 422
    assert said in detail(response)
    assert running.deployments.count() == 1


def test_without_any_droplet_there_is_nothing_to_deploy(api, alice, app):
    assert "set a current droplet" in detail(deploy(api(alice), app))


def test_a_droplet_of_another_app_is_not_this_ones(api, alice, running, space, make_droplet):
    other = make_droplet(apps.create(alice, space, name="other"))
    assert "Ensure the droplet exists" in detail(deploy(api(alice), running, droplet={"guid": other.guid}))


def test_what_does_not_fit_changes_nothing(api, alice, running, used):
    response = deploy(api(alice), running, options={"web_instances": 100})
    assert response.status_code == 503
    assert used().instances == 1
    assert running.deployments.count() == 1


def test_an_auditor_is_refused_a_supporter_deploys_and_a_stranger_has_no_app(api, bob, charlie, root, space, running):
    assert deploy(api(bob), running).status_code == 403
    access.give(bob, "space_supporter", space, by=root)
    assert deploy(api(bob), running).status_code == 201
    response = deploy(api(charlie), running)
    assert response.status_code == 422
    assert detail(response).startswith("Unable to use app.")


def test_twice_supersedes_the_first(api, alice, running):
    deploy(api(alice), running)
    deploy(api(alice), running)
    reasons = list(Deployment.objects.filter(app=running).values_list("reason", flat=True))
    assert reasons == ["DEPLOYED", "SUPERSEDED", "DEPLOYING"]


def test_metadata_is_kept_and_changes(api, alice, bob, running, recorded):
    guid = deploy(api(alice), running, metadata={"labels": {"a": "1", "gone": None}}).json()["guid"]
    told = api(alice).patch(f"/v3/deployments/{guid}", {"metadata": {"labels": {"b": "2"}}}).json()
    assert told["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert recorded("audit.app.deployment.update").data["deployment_guid"] == guid
    assert api(bob).patch(f"/v3/deployments/{guid}", {"metadata": {}}).status_code == 403
