"""Deleting a robot, by hand or with its organization; and its suspension with that."""

from __future__ import annotations

from accounts.models import AuditEvent, User
from tenants.actions import organization as organizations


def test_it_goes_with_its_keys_and_tokens(api, ask, robot_calls, dora, robot, secret):
    caller = robot_calls(robot, secret)
    assert caller.get("/v3/organizations").status_code == 200
    answer = api(dora).delete(f"/v3/robots/{robot.guid}")
    assert answer.status_code == 202 and "/v3/jobs/" in answer.headers["Location"]
    assert caller.get("/v3/organizations").status_code == 401
    assert ask(robot, secret).status_code == 401
    assert not User.objects.filter(guid=robot.guid).exists()


def test_an_auditor_may_not_and_a_stranger_sees_nothing(api, bob, charlie, robot):
    assert api(bob).delete(f"/v3/robots/{robot.guid}").status_code == 403
    assert api(charlie).delete(f"/v3/robots/{robot.guid}").status_code == 404


def test_it_is_recorded_with_the_keys_that_went(api, dora, robot, key):
    api(dora).delete(f"/v3/robots/{robot.guid}")
    event = AuditEvent.objects.get(type="audit.robot.delete")
    assert event.data["keys"] == ["ci"] and event.organization_guid == robot.organization.guid


def test_twice_is_harmless(api, dora, robot):
    api(dora).delete(f"/v3/robots/{robot.guid}")
    assert api(dora).delete(f"/v3/robots/{robot.guid}").status_code == 404


def test_it_is_suspended_while_its_organization_is(ask, robot_calls, root, org, robot, secret):
    caller = robot_calls(robot, secret)
    organizations.update(root, org, suspended=True)
    assert caller.get("/v3/organizations").status_code == 401
    refused = ask(robot, secret)
    assert refused.status_code == 403 and "suspended" in refused.json()["error_description"]
    organizations.update(root, org, suspended=False)
    assert caller.get("/v3/organizations").status_code == 200


def test_it_goes_with_its_organization(ask, root, org, robot, secret):
    organizations.delete(root, org)
    assert ask(robot, secret).status_code == 401
    assert AuditEvent.objects.filter(type="audit.robot.delete", target_guid=robot.guid).exists()
