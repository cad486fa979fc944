"""Sidecars: what runs beside a process, in the same container."""

from __future__ import annotations

import pytest

from apps.actions import app as apps
from apps.models import Sidecar

BODY = {"name": "proxy", "command": "bin/proxy", "process_types": ["web"], "memory_in_mb": "64"}


@pytest.fixture
def sidecar(app):
    return Sidecar.objects.create(app=app, name="helper", command="bin/helper", process_types=["web", "worker"])


def test_a_sidecar_is_added_and_runs_at_the_next_start(api, alice, app, droplet, converge, runtime, recorded):
    response = api(alice).post(f"/v3/apps/{app.guid}/sidecars", BODY)
    assert response.status_code == 201
    made = response.json()
    assert (made["name"], made["memory_in_mb"], made["origin"]) == ("proxy", 64, "user")
    assert recorded("audit.app.sidecar.create").target_guid == app.guid
    converge(apps.start(alice, app))
    (instance,) = runtime.instances.values()
    assert [(each.name, each.command) for each in instance.workload.sidecars] == [("proxy", "bin/proxy")]


def test_they_are_listed_by_app_and_by_process(api, bob, app, droplet, sidecar):
    worker = app.processes.get(type="worker")
    for there in (
        f"/v3/apps/{app.guid}/sidecars",
        f"/v3/apps/{app.guid}/processes/web/sidecars",
        f"/v3/processes/{app.guid}/sidecars",
        f"/v3/processes/{worker.guid}/sidecars",
    ):
        assert [each["name"] for each in api(bob).get(there).json()["resources"]] == ["helper"]
    Sidecar.objects.filter(pk=sidecar.pk).update(process_types=["worker"])
    assert api(bob).get(f"/v3/processes/{app.guid}/sidecars").json()["resources"] == []


def test_it_changes_and_goes(api, alice, sidecar, recorded):
    there = f"/v3/sidecars/{sidecar.guid}"
    changed = api(alice).patch(there, {"command": "bin/other", "memory_in_mb": None}).json()
    assert (changed["name"], changed["command"]) == ("helper", "bin/other")
    assert recorded("audit.app.sidecar.update").data["changes"] == {"command": ["[PRIVATE DATA HIDDEN]"] * 2}
    assert api(alice).delete(there).status_code == 204
    assert recorded("audit.app.sidecar.delete").data["name"] == "helper"
    assert api(alice).delete(there).json()["errors"][0]["detail"] == "Sidecar not found"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "helper"}, "Sidecar with name 'helper' already exists for given app"),
        ({"process_types": []}, "Process types must have at least 1 process_type"),
        ({"command": ""}, "Command can't be blank"),
        ({"memory_in_mb": 0}, "Memory in mb must be greater than 0"),
        (
            {"memory_in_mb": 1024},
            'The memory allocation defined is too large to run with the dependent "web" process',
        ),
    ],
)
def test_a_wrong_sidecar_is_refused(api, alice, app, sidecar, change, said):
    response = api(alice).post(f"/v3/apps/{app.guid}/sidecars", BODY | change)
    assert response.status_code == 422
    assert response.json()["errors"][0]["detail"] == said


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, app, sidecar):
    there, own = f"/v3/apps/{app.guid}/sidecars", f"/v3/sidecars/{sidecar.guid}"
    assert api(bob).post(there, BODY).status_code == 403
    assert api(bob).patch(own, {"name": "x"}).status_code == 403
    assert api(bob).delete(own).status_code == 403
    assert api(charlie).get(there).status_code == 404
    assert api(charlie).post(there, BODY).status_code == 404
    assert api(charlie).get(own).status_code == 404
    assert api(charlie).get(f"/v3/processes/{app.guid}/sidecars").json()["errors"][0]["detail"] == "Process not found"


def test_those_of_a_droplet_follow_the_droplet(api, alice, app, make_droplet):
    brought = {"name": "agent", "command": "bin/agent", "process_types": ["web"], "memory_mb": None}
    apps.use_droplet(alice, app, droplet=make_droplet(app, sidecars=[brought]))
    assert list(app.sidecars.values_list("name", "origin")) == [("agent", "buildpack")]
    apps.use_droplet(alice, app, droplet=make_droplet(app))
    assert not app.sidecars.exists()
