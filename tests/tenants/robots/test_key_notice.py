"""Whoever looks after a robot hears of a key's end seven days before, and the day before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import Mail, RobotKey
from paas.lib.queue import work
from tenants.models import Robot

JOB = "tenants.jobs.announce_key"


def told():
    return Mail.objects.filter(kind="key-ends")


def passes(key: RobotKey, left: timedelta) -> bool:
    """Let so much be left of the key, and run what is due."""
    RobotKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + left)
    RobotKey.objects.filter(pk=key.pk).exclude(due_at=None).update(due_at=timezone.now())
    return work(JOB, key.pk)


def test_it_is_announced_twice_to_the_caretaker(dora, robot, key):
    assert key.due_at == key.expires_at - keys.NOTICES[0]
    assert not work(JOB, key.pk)  # nothing is due yet
    assert passes(key, timedelta(days=7))
    first = told().get()
    assert (first.to, first.kind) == (dora.email, "key-ends") and "ends in 7 days" in first.body
    assert robot.guid in first.body and "never used" in first.body
    assert RobotKey.objects.get().due_at > timezone.now() + timedelta(days=5)
    assert passes(key, timedelta(hours=23))
    assert "ends within a day" in told().latest("id").body and told().count() == 2
    assert not passes(key, timedelta(hours=1))
    assert RobotKey.objects.get().due_at is None


def test_without_a_caretaker_the_managers_hear_of_it(dora, robot, key):
    Robot.objects.update(caretaker=None)
    passes(key, timedelta(days=7))
    assert told().get().to == dora.email


@pytest.mark.parametrize(("days", "notice"), [(30, 23), (5, 4), (0.5, None)])
def test_a_short_lived_key_is_announced_when_there_is_time_to(days, notice):
    ends = timezone.now() + timedelta(days=days)
    due = keys.next_notice(ends)
    assert due is None if notice is None else due == ends - timedelta(days=days - notice)


def test_nobody_is_told_of_a_key_that_has_ended_meanwhile(robot, key):
    assert passes(key, timedelta(seconds=-1))
    assert not told().exists()
