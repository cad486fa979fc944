"""Revoking a key: it and the tokens that were got for it are refused at once."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import AuditEvent, RobotKey
from tenants.actions import robot_key as keys


def test_tokens_die_with_it_and_those_of_another_key_go_on(api, robot_calls, dora, robot, key, secret):
    other = keys.create(dora, robot, name="nightly")[1]
    caller, nightly = robot_calls(robot, secret), robot_calls(robot, other)
    assert caller.get("/v3/spaces").status_code == 200
    assert api(dora).delete(f"/v3/robots/{robot.guid}/keys/{key.guid}").status_code == 204
    refused = caller.get("/v3/spaces")
    assert refused.status_code == 401 and refused.json()["errors"][0]["title"] == "CF-InvalidAuthToken"
    assert nightly.get("/v3/spaces").status_code == 200


def test_tokens_die_with_a_key_that_ends(robot_calls, robot, key, secret):
    caller = robot_calls(robot, secret)
    RobotKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert caller.get("/v3/spaces").status_code == 401


def test_an_auditor_may_not_and_a_stranger_sees_nothing(api, bob, charlie, robot, key):
    assert api(bob).delete(f"/v3/robots/{robot.guid}/keys/{key.guid}").status_code == 403
    assert api(charlie).delete(f"/v3/robots/{robot.guid}/keys/{key.guid}").status_code == 404
    assert RobotKey.objects.exists()


def test_it_is_recorded(api, dora, robot, key):
    api(dora).delete(f"/v3/robots/{robot.guid}/keys/{key.guid}")
    event = AuditEvent.objects.get(type="audit.robot.key.revoke")
    assert (event.data["key"], event.target_guid, event.actor_guid) == ("ci", robot.guid, dora.guid)


def test_twice_is_harmless(api, dora, robot, key):
    path = f"/v3/robots/{robot.guid}/keys/{key.guid}"
    assert [api(dora).delete(path).status_code for _ in range(2)] == [204, 404]
