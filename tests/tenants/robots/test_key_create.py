"""Making keys of a robot: shown once, ended by date, made by who could do as much without one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from oauth2_provider.models import Application

from accounts.actions.platform_role import set_platform_role
from accounts.models import AuditEvent, Mail, RobotKey
from tenants import access
from tenants.actions import robot as robots


def test_it_is_shown_once_and_opens_the_door(api, robot_calls, dora, robot):
    answer = api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "ci"})
    told = answer.json()
    assert answer.status_code == 201 and told["secret"].startswith("slk_") and told["client_id"] == robot.guid
    days = (RobotKey.objects.get().expires_at - timezone.now()) / timedelta(days=1)
    assert 89 < days <= 90
    listed = api(dora).get(f"/v3/robots/{robot.guid}/keys").json()["resources"]
    assert [key["name"] for key in listed] == ["ci"] and "secret" not in listed[0]
    assert listed[0]["relationships"]["seen_by"]["data"]["guid"] == dora.guid
    assert robot_calls(robot, told["secret"]).get("/v3/organizations").json()["pagination"]["total_results"] == 1


def test_only_its_hash_is_kept_and_the_record_is_without_it(api, dora, robot):
    secret = api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "ci"}).json()["secret"]
    assert secret not in str(RobotKey.objects.values().get())
    event = AuditEvent.objects.get(type="audit.robot.key.create")
    assert event.data["key"] == "ci" and secret not in str(event.data)


def test_an_auditor_may_not_and_a_stranger_sees_nothing(api, alice, bob, charlie, robot, key):
    for caller in (alice, bob):
        assert api(caller).post(f"/v3/robots/{robot.guid}/keys", {"name": "x"}).status_code == 403
        assert api(caller).get(f"/v3/robots/{robot.guid}/keys").status_code == 403
    assert api(charlie).post(f"/v3/robots/{robot.guid}/keys", {"name": "x"}).status_code == 404
    assert api(charlie).get(f"/v3/robots/{robot.guid}/keys/{key.guid}").status_code == 404


def test_the_same_name_twice_is_refused(api, dora, robot, key):
    assert api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "CI"}).status_code == 422
    assert RobotKey.objects.count() == 1


@pytest.mark.parametrize("days", [-1, 366])
def test_it_ends_within_a_year(api, dora, robot, days):
    ends = (timezone.now() + timedelta(days=days)).isoformat()
    answer = api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "ci", "expires_at": ends})
    assert answer.status_code == 422 and "within 365 days" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("field", ["digest", "robot", "seen_by", "secret", "last_used_at"])
def test_nothing_else_can_be_set(api, dora, robot, field):
    answer = api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "ci", field: "x"})
    assert answer.status_code == 422 and f"Unknown field(s): '{field}'" in answer.json()["errors"][0]["detail"]


def test_who_manages_robots_and_no_more_gets_no_key_of_one_that_may_more(
    api, dora, alice, root, org, space, robot, custom_role
):
    keeper = custom_role(org, "robot.manage")
    access.give(alice, keeper.guid, org, by=root)
    assert api(alice).post(f"/v3/robots/{robot.guid}/keys", {"name": "mine"}).status_code == 201
    access.give(robot.user, "organization_manager", org, by=root)
    refused = api(alice).post(f"/v3/robots/{robot.guid}/keys", {"name": "more"})
    assert refused.status_code == 403 and "that you may not" in refused.json()["errors"][0]["detail"]
    mine = RobotKey.objects.get(name="mine")
    assert api(alice).post(f"/v3/robots/{robot.guid}/keys/{mine.guid}/actions/rotate", {}).status_code == 403
    assert api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "more"}).status_code == 201


def test_nobody_but_an_admin_gets_a_key_of_one_with_a_role_on_the_platform(api, dora, root, robot, key):
    set_platform_role(root, robot.user, role="admin_read_only")
    for ask in (f"/v3/robots/{robot.guid}/keys", f"/v3/robots/{robot.guid}/keys/{key.guid}/actions/rotate"):
        refused = api(dora).post(ask, {"name": "more"} if ask.endswith("keys") else {})
        assert refused.status_code == 403 and "platform admin" in refused.json()["errors"][0]["detail"]
    assert api(root).post(f"/v3/robots/{robot.guid}/keys", {"name": "more"}).status_code == 201


def test_who_made_it_is_told_by_mail(api, dora, robot):
    api(dora).post(f"/v3/robots/{robot.guid}/keys", {"name": "ci"})
    mail = Mail.objects.get(kind="key-created")
    assert mail.to == dora.email and "slk_" not in mail.body


def test_a_key_of_one_robot_is_not_anothers(api, ask, dora, org, robot, key, secret):
    other = robots.create(dora, org, name="other")
    assert ask(other, secret).status_code == 401
    assert api(dora).delete(f"/v3/robots/{other.guid}/keys/{key.guid}").status_code == 404


def test_without_a_key_nothing_opens_a_robot(ask, robot):
    for secret in ("", "slk_", Application.objects.get(user=robot.user).client_secret):
        assert ask(robot, secret).status_code == 401
