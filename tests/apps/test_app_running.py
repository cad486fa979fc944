"""Starting, stopping and restarting apps through the v3 API."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, UsageEvent
from apps.models import App, Deployment
from tenants import access


def act(client, app, verb):
    return client.post(f"/v3/apps/{app.guid}/actions/{verb}")


def test_start_brings_the_droplet_up(api, alice, app, droplet, converge, used, recorded):
    response = act(api(alice), app, "start")
    assert response.status_code == 200
    assert response.json()["state"] == "STARTED"
    app = converge(app)
    assert app.serving_id == app.target_id
    assert app.running.get().ready
    assert (used().memory_mb, used().instances) == (1024, 1)
    assert recorded("audit.app.start").target_guid == app.guid
    used = UsageEvent.objects.filter(kind="app", state="STARTED").values_list("process_type", "instances")
    assert set(used) == {("web", 1), ("worker", 0)}


def test_starting_twice_is_harmless(api, alice, running, used):
    assert act(api(alice), running, "start").json()["state"] == "STARTED"
    assert running.deployments.count() == 1
    assert used().memory_mb == 1024


def test_without_a_droplet_there_is_nothing_to_start(api, alice, app):
    for verb in ("start", "restart"):
        response = act(api(alice), app, verb)
        assert response.status_code == 422
        assert response.json()["errors"][0]["detail"] == "Assign a droplet before starting this app."


def test_a_web_process_that_nobody_says_how_to_start_is_refused(api, alice, app, make_droplet, converge):
    app.droplet = make_droplet(app, process_types={"worker": "./work"})
    app.save()
    response = act(api(alice), app, "start")
    assert response.status_code == 422
    assert "no start command" in response.json()["errors"][0]["detail"]
    assert App.objects.get(pk=app.pk).state == "STOPPED"
    app.processes.filter(type="web").update(instances=0)
    assert act(api(alice), app, "start").status_code == 200
    assert converge(app).serving_id


def test_stop_really_stops(api, alice, running, converge, runtime, used, recorded):
    assert act(api(alice), running, "stop").json()["state"] == "STOPPED"
    converge(running)
    assert runtime.observe([running.guid]) == []
    assert used().memory_mb == 0
    assert recorded("audit.app.stop").target_guid == running.guid
    assert act(api(alice), running, "stop").status_code == 200
    assert AuditEvent.objects.filter(type="audit.app.stop").count() == 1


def test_stop_ends_a_deployment_that_is_under_way(api, alice, app, droplet):
    act(api(alice), app, "start")
    act(api(alice), app, "stop")
    assert list(app.deployments.values_list("value", "reason")) == [("FINALIZED", "CANCELED")]


def test_restart_replaces_beside_what_runs(api, alice, running, converge, used, recorded):
    before = running.running.get().guid
    assert act(api(alice), running, "restart").json()["state"] == "STARTED"
    during = list(running.deployments.values_list("value", flat=True))
    assert during == [Deployment.Value.FINALIZED, Deployment.Value.ACTIVE]
    app = converge(running)
    assert app.running.get().guid != before
    assert used().memory_mb == 1024
    assert recorded("audit.app.restart").target_guid == app.guid


def test_a_second_restart_supersedes_the_first(api, alice, running):
    act(api(alice), running, "restart")
    act(api(alice), running, "restart")
    assert list(running.deployments.values_list("reason", flat=True)) == ["DEPLOYED", "SUPERSEDED", "DEPLOYING"]


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, app, droplet, verb):
    assert act(api(bob), app, verb).status_code == 403
    assert act(api(charlie), app, verb).status_code == 404
    assert App.objects.get(pk=app.pk).state == "STOPPED"


def test_supporter_may_run_and_not_change(api, bob, app, droplet, space, root):
    access.give(bob, "space_supporter", space, by=root)
    assert act(api(bob), app, "start").status_code == 200
    assert api(bob).patch(f"/v3/apps/{app.guid}", {"name": "x"}).status_code == 403


def test_beyond_the_machine_a_start_is_refused(api, alice, app, droplet, runtime, settings):
    settings.PAAS_MEMORY_MB = 512
    response = act(api(alice), app, "start")
    assert response.status_code == 503
    assert response.json()["errors"][0]["title"] == "CF-InsufficientRunningResourcesAvailable"
    assert App.objects.get(pk=app.pk).state == "STOPPED"


def test_beyond_the_quota_a_start_is_refused(api, alice, app, droplet, quota):
    quota.total_memory_mb = 1000
    quota.save()
    response = act(api(alice), app, "start")
    assert response.status_code == 422
    assert "memory quota_exceeded" in response.json()["errors"][0]["detail"]


def test_an_organization_that_is_suspended_starts_nothing(api, alice, app, droplet, org):
    org.suspended = True
    org.save()
    response = act(api(alice), app, "start")
    assert (response.status_code, response.json()["errors"][0]["title"]) == (403, "CF-OrgSuspended")
