"""Rotating a key: a new one now, and the old one works a few more days, so that no pipeline dies by surprise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, RobotKey
from tenants.actions import robot_key as keys


def rotate(client, robot, key, **body):
    return client.post(f"/v3/robots/{robot.guid}/keys/{key.guid}/actions/rotate", body)


def test_both_work_for_seven_days(api, ask, dora, robot, key, secret):
    answer = rotate(api(dora), robot, key)
    assert answer.status_code == 201 and answer.json()["name"] == "ci 2"
    assert ask(robot, secret).status_code == ask(robot, answer.json()["secret"]).status_code == 200
    left = RobotKey.objects.get(pk=key.pk).expires_at - timezone.now()
    assert timedelta(days=6.9) < left <= timedelta(days=7)
    RobotKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert ask(robot, secret).status_code == 401


def test_none_and_other_days_can_be_asked_for(api, ask, dora, robot, key, secret):
    new = rotate(api(dora), robot, key, days=0).json()
    assert ask(robot, secret).status_code == 401
    assert rotate(api(dora), robot, RobotKey.objects.get(guid=new["guid"]), days=91).status_code == 422
    with pytest.raises(keys.Unprocessable):
        keys.rotate(dora, RobotKey.objects.get(guid=new["guid"]), days=91)


def test_an_auditor_may_not_and_a_stranger_sees_nothing(api, bob, charlie, robot, key):
    assert rotate(api(bob), robot, key).status_code == 403
    assert rotate(api(charlie), robot, key).status_code == 404


def test_it_is_recorded(api, dora, robot, key):
    rotate(api(dora), robot, key)
    event = AuditEvent.objects.get(type="audit.robot.key.rotate")
    assert (event.data["key"], event.data["old"], event.organization_guid) == ("ci 2", "ci", robot.organization.guid)


def test_twice_makes_one_more_and_lets_the_old_one_live_no_longer(api, dora, robot, key):
    rotate(api(dora), robot, key, days=2)
    assert rotate(api(dora), robot, key, days=30).json()["name"] == "ci 3"
    assert RobotKey.objects.get(pk=key.pk).expires_at < timezone.now() + timedelta(days=2)
