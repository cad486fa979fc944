"""Calling a deployment off, and finding deployments."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.actions import deployment as deployments


@pytest.fixture
def deployment(alice, running):
    return deployments.create(alice, running)


def cancel(client, deployment):
    return client.post(f"/v3/deployments/{deployment.guid}/actions/cancel")


def test_what_served_before_goes_on_serving(api, alice, running, deployment, converge):
    response = cancel(api(alice), deployment)
    assert response.status_code == 200
    assert response.json()["status"]["reason"] == "CANCELING"
    app = converge(running)
    assert app.serving_id == running.serving_id == app.target_id
    status = api(alice).get(f"/v3/deployments/{deployment.guid}").json()["status"]
    assert (status["value"], status["reason"]) == ("FINALIZED", "CANCELED")


def test_twice_is_harmless_until_it_is_over(api, alice, running, deployment, converge):
    for _ in range(2):
        assert cancel(api(alice), deployment).status_code == 200
    assert AuditEvent.objects.filter(type="audit.app.deployment.cancel").count() == 1
    converge(running)
    response = cancel(api(alice), deployment)
    assert (response.status_code, response.json()["errors"][0]["detail"]) == (
        422,
        "Cannot cancel a CANCELED deployment",
    )


@pytest.mark.parametrize("verb", ["cancel", "continue"])
def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, deployment, verb):
    there = f"/v3/deployments/{deployment.guid}/actions/{verb}"
    assert api(bob).post(there).status_code == 403
    response = api(charlie).post(there)
    assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, "Deployment not found")


def test_nothing_is_paused_so_nothing_goes_on(api, alice, deployment):
    response = api(alice).post(f"/v3/deployments/{deployment.guid}/actions/continue")
    assert response.status_code == 422
    assert "status: ACTIVE and reason: DEPLOYING" in response.json()["errors"][0]["detail"]


def test_filters_and_order(api, bob, alice, space, running, deployment):
    other = apps.create(alice, space, name="other")

    def reasons(asked):
        found = api(bob).get(f"/v3/deployments?{asked}").json()["resources"]
        return [each["status"]["reason"] for each in found]

    assert reasons(f"app_guids={running.guid}&order_by=-created_at") == ["DEPLOYING", "DEPLOYED"]
    assert reasons("status_values=ACTIVE") == ["DEPLOYING"]
    assert reasons("status_reasons=DEPLOYED,CANCELED") == ["DEPLOYED"]
    assert reasons("states=DEPLOYING") == ["DEPLOYING"]
    assert reasons(f"app_guids={other.guid}") == []
    assert api(bob).get("/v3/deployments?status_values=SLEEPING").status_code == 400


def test_a_stranger_sees_no_deployment(api, charlie, deployment):
    assert api(charlie).get("/v3/deployments").json()["resources"] == []
    assert api(charlie).get(f"/v3/deployments/{deployment.guid}").status_code == 404
