"""Calling as a robot: client credentials, last use, address ranges, and what no robot may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, RobotKey, User
from tenants import access

HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def test_what_it_does_is_recorded_as_its_own_with_the_key(robot_calls, root, org, robot, secret):
    access.give(robot.user, "organization_manager", org, by=root)
    made = robot_calls(robot, secret).post(
        "/v3/spaces", {"name": "new", "relationships": {"organization": {"data": {"guid": org.guid}}}}
    )
    assert made.status_code == 201, made.content
    event = AuditEvent.objects.get(type="audit.space.create")
    assert (event.actor_guid, event.actor_type, event.via, event.door) == (robot.guid, "robot", "key ci", "api")


def test_the_last_use_is_kept_with_time_and_address(ask, bearing, robot, key, secret):
    token = ask(robot, secret, elsewhere=HOME).json()["access_token"]
    assert RobotKey.objects.get().last_used_address == HOME
    RobotKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=5))
    bearing(token).get("/v3/spaces", REMOTE_ADDR=ELSEWHERE)
    used = RobotKey.objects.get()
    assert used.last_used_address == ELSEWHERE and used.last_used_at > timezone.now() - timedelta(minutes=1)


@pytest.mark.parametrize("path", ["/v3/spaces", "/uaa/oauth/clients/x", "/api/v1/read/nothing"])
def test_it_is_refused_at_every_door_from_elsewhere(ask, bearing, robot, secret, path):
    caller = bearing(ask(robot, secret, elsewhere=HOME).json()["access_token"])
    User.objects.filter(pk=robot.user_id).update(address_ranges=["203.0.113.0/24"])
    refused = caller.get(path, REMOTE_ADDR=ELSEWHERE)
    assert refused.status_code == 403 and f"may not be used from {ELSEWHERE}" in refused.content.decode()
    assert "may not be used" not in caller.get(path, REMOTE_ADDR=HOME).content.decode()
    assert caller.get("/v3/spaces", REMOTE_ADDR=f"::ffff:{HOME}").status_code == 200


def test_no_token_is_given_elsewhere_and_the_refusal_is_recorded_once(ask, robot, secret, key):
    User.objects.filter(pk=robot.user_id).update(address_ranges=["203.0.113.0/24"])
    for _ in range(3):
        refused = ask(robot, secret, elsewhere=ELSEWHERE)
        assert refused.status_code == 403 and "may not be used from" in refused.json()["error_description"]
    event = AuditEvent.objects.get(type="audit.user.address-refused")
    assert (event.organization_guid, event.data["from_address"]) == (robot.organization.guid, ELSEWHERE)
    assert event.via == "key ci" and RobotKey.objects.get().last_used_at is None
    assert ask(robot, secret, elsewhere="198.51.100.10").status_code == 403
    assert AuditEvent.objects.filter(type="audit.user.address-refused").count() == 2
    assert ask(robot, secret, elsewhere=HOME).status_code == 200


def test_a_robot_makes_no_api_tokens_that_would_outlive_its_key(robot_calls, robot, secret):
    assert robot_calls(robot, secret).post("/v3/access_tokens", {"name": "mine"}).status_code == 403
    assert not ApiToken.objects.exists()


def test_a_robot_that_manages_may_rotate_its_own_key(robot_calls, root, org, robot, key, secret):
    access.give(robot.user, "organization_manager", org, by=root)
    caller = robot_calls(robot, secret)
    new = caller.post(f"/v3/robots/{robot.guid}/keys/{key.guid}/actions/rotate", {"days": 0})
    assert new.status_code == 201 and caller.get("/v3/spaces").status_code == 401
    assert robot_calls(robot, new.json()["secret"]).get("/v3/spaces").status_code == 200


def test_asking_with_a_key_costs_one_query_more(robot_calls, robot, secret, key, django_assert_num_queries):
    caller = robot_calls(robot, secret)
    with django_assert_num_queries(3):  # the token, its key, and the count of the empty list
        caller.get("/v3/access_tokens")
