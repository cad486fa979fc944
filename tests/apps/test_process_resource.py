"""Processes through the v3 API: reading and changing them, and who sees commands."""

from __future__ import annotations

import pytest

from apps.models import Process
from apps.v3.shapes.running import HIDDEN, HIDDEN_IN_LISTS


@pytest.fixture
def worker(app, droplet):
    return app.processes.get(type="worker")


def test_web_has_the_guid_of_its_app_and_others_their_own(api, bob, app, worker):
    types = {each["type"]: each["guid"] for each in api(bob).get(f"/v3/apps/{app.guid}/processes").json()["resources"]}
    assert types == {"web": app.guid, "worker": worker.guid}
    assert worker.guid != app.guid


def test_both_urls_tell_the_same(api, alice, app, worker):
    own = api(alice).get(f"/v3/processes/{worker.guid}").json()
    assert own == api(alice).get(f"/v3/apps/{app.guid}/processes/worker").json()
    assert (own["type"], own["instances"], own["memory_in_mb"], own["disk_in_mb"]) == ("worker", 0, 1024, 1024)
    assert own["log_rate_limit_in_bytes_per_second"] == -1
    assert own["health_check"] == {"type": "process", "data": {"timeout": None}}


def test_the_command_is_the_one_asked_for_else_the_droplets(api, alice, app, droplet):
    there = f"/v3/processes/{app.guid}"
    assert api(alice).get(there).json()["command"] == "python app.py"
    assert api(alice).patch(there, {"command": "serve"}).json()["command"] == "serve"
    assert api(alice).patch(there, {"command": None}).json()["command"] == "python app.py"
    assert Process.objects.get(guid=app.guid).command is None


def test_commands_are_hidden_in_lists_and_from_auditors(api, alice, bob, app, droplet):
    for there in ("/v3/processes", f"/v3/apps/{app.guid}/processes"):
        assert {each["command"] for each in api(alice).get(there).json()["resources"]} == {HIDDEN_IN_LISTS}
    assert api(bob).get(f"/v3/processes/{app.guid}").json()["command"] == HIDDEN


def test_health_checks_change(api, alice, app, recorded):
    check = {"type": "http", "data": {"endpoint": "/health", "timeout": "90", "invocation_timeout": 2}}
    ready = {"type": "http", "data": {"endpoint": "/ready", "interval": 5}}
    told = api(alice).patch(
        f"/v3/apps/{app.guid}/processes/web", {"health_check": check, "readiness_health_check": ready}
    )
    assert told.status_code == 200
    assert told.json()["health_check"]["data"] == {
        "timeout": 90,
        "invocation_timeout": 2,
        "interval": None,
        "endpoint": "/health",
    }
    assert told.json()["readiness_health_check"] == {
        "type": "http",
        "data": {"invocation_timeout": None, "interval": 5, "endpoint": "/ready"},
    }
    assert recorded("audit.app.process.update").data["changes"]["health_type"] == ["port", "http"]
    back = {"health_check": {"type": "process", "data": {"endpoint": None, "timeout": None}}}
    for _ in range(2):
        assert api(alice).patch(f"/v3/processes/{app.guid}", back).json()["health_check"] == {
            "type": "process",
            "data": {"timeout": None},
        }
    assert Process.objects.get(guid=app.guid).health_endpoint == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"health_check": {"type": "magic"}}, 'Health check type must be "port", "process", or "http"'),
        ({"health_check": {"type": "http", "data": {"timeout": 0}}}, "Health check data timeout must be greater than 0"),
        ({"health_check": {"type": "http", "data": {"endpoint": "x"}}}, "Health check data endpoint must be a valid URI path"),
        (
            {"health_check": {"type": "port", "data": {"endpoint": "/x"}}},
            'Health check type must be "http" to set a health check HTTP endpoint',
        ),
        ({"readiness_health_check": {"data": {"timeout": 1}}}, "Unknown field(s): 'timeout'"),
        ({"command": ""}, "Command can't be blank"),
        ({"command": "x" * 4097}, "Command must be between 1 and 4096 characters"),
        ({"memory_in_mb": 1}, "Unknown field(s): 'memory_in_mb'"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused(api, alice, app, body, said):
    response = api(alice).patch(f"/v3/processes/{app.guid}", body)
    assert response.status_code == 422
    assert said in response.json()["errors"][0]["detail"]


def test_a_command_never_reaches_the_record(api, alice, app, recorded):
    for command in ("serve --key=hunter2", "serve"):
        api(alice).patch(f"/v3/processes/{app.guid}", {"command": command})
        assert "hunter2" not in str(recorded("audit.app.process.update").data)


def test_labels_of_a_process(api, alice, app):
    body = {"metadata": {"labels": {"tier": "front"}}}
    assert api(alice).patch(f"/v3/processes/{app.guid}", body).json()["metadata"]["labels"] == {"tier": "front"}
    found = api(alice).get("/v3/processes?label_selector=tier=front").json()["resources"]
    assert [each["guid"] for each in found] == [app.guid]


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, app):
    there = f"/v3/processes/{app.guid}"
    assert api(bob).patch(there, {"command": "x"}).status_code == 403
    for verb in ("get", "patch"):
        response = getattr(api(charlie), verb)(there)
        assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, "Process not found")
    assert api(charlie).get(f"/v3/apps/{app.guid}/processes").json()["errors"][0]["detail"] == "App not found"
    assert api(charlie).get("/v3/processes").json()["resources"] == []


def test_an_unknown_type_is_no_process(api, alice, app):
    for there in (f"/v3/apps/{app.guid}/processes/clock", f"/v3/apps/{app.guid}/processes/clock/stats"):
        assert api(alice).get(there).json()["errors"][0]["detail"] == "Process not found"


def test_filters(api, alice, app, worker, space, other_space):
    def types(asked):
        return [each["type"] for each in api(alice).get(f"/v3/processes?{asked}").json()["resources"]]

    assert types("types=worker,clock") == ["worker"]
    assert types(f"app_guids={app.guid}") == ["web", "worker"]
    assert types(f"space_guids={space.guid}&types=web") == ["web"]
    assert types(f"organization_guids={other_space.organization.guid}") == []
    assert types(f"guids={worker.guid}") == ["worker"]
    assert api(alice).get("/v3/processes?embed=process_instances").status_code == 400
