"""The maintenance window: kept and shown by the database, and when the platform upgrades it without being asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from services.actions import instance as instances
from services.brokers.base import Done, Previous, Refused
from services.brokers.engine import window
from services.brokers.engine.base import NotAllowed
from services.jobs.upgrade import upgrade_in_window
from services.models import Operation, Plan, ServiceInstance
from tests.services.bed import Bed
from tests.services.test_keep import on_offer, runtime  # noqa: F401 - fixtures

TUESDAY = datetime(2026, 3, 31, 4, 10, tzinfo=UTC)
NEW = {"version": "9.0.0"}


@pytest.mark.parametrize(
    "text, opens",
    [
        ("Tue:04:00-Tue:04:30", True),
        ("Tue:04:11-Tue:05:00", False),
        ("Tue:03:00-Tue:04:10", False),
        ("Mon:23:00-Tue:05:00", True),
        ("Wed:04:00-Wed:04:30", False),
    ],
)
def test_a_window_is_open_from_its_first_minute_until_its_last(text: str, opens: bool) -> None:
    assert window.is_open(text, TUESDAY) == opens


def test_a_window_goes_over_the_end_of_the_week() -> None:
    monday = datetime(2026, 3, 30, 0, 5, tzinfo=UTC)
    assert window.is_open("Sun:23:45-Mon:00:15", monday)
    assert not window.is_open("Sun:23:45-Mon:00:05", monday)


@pytest.mark.parametrize(
    "text",
    ["", "Tue:04:00", "Tue:04:00-Tue:04:29", "Tue:04:00-Tue:04:00", "Tue:04:00-Wed:04:00", "Tue:24:00-Wed:00:30"],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed, match=window.NAME):
        window.check(text)


@settings(deadline=None)
@given(st.uuids())
def test_who_chooses_none_has_one_of_their_own_by_night(guid: Any) -> None:
    text = window.chosen(str(guid))
    window.check(text)
    assert text == window.chosen(str(guid)) and int(text[4:6]) < 6


@pytest.fixture
def behind(on_offer, space, alice) -> ServiceInstance:  # noqa: F811
    """An instance whose plan has moved on, in whose window we are."""
    made, _job = instances.create(alice, space, name="data", plan=on_offer)
    now = timezone.now()
    open_now = {window.NAME: f"{now:%a}:00:00-{now + timedelta(days=1):%a}:00:00"}
    ended = {"operation_state": "succeeded", "due_at": None, "maintenance_info": {"version": "1.0.0"}}
    ServiceInstance.objects.filter(pk=made.pk).update(parameters=open_now, **ended)
    Plan.objects.filter(pk=on_offer.pk).update(maintenance_info=NEW)
    made.refresh_from_db()
    return made


def test_in_its_window_an_instance_is_upgraded_in_the_name_of_the_platform(behind, recorded) -> None:
    upgrade_in_window()
    upgrade_in_window()  # twice is harmless
    behind.refresh_from_db()
    assert (behind.operation_type, behind.operation_state) == ("update", "initial")
    assert behind.wish == {"maintenance_info": NEW} and behind.due_at
    event = recorded("audit.service_instance.start_update")
    assert event.actor_type == "system" and event.target_guid == behind.guid
    assert behind.job.owner.username == "system"


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {}},  # its own window is by night, and not the whole of today's
        {"operation_state": Operation.State.IN_PROGRESS},
        {"operation_type": "update", "operation_state": Operation.State.FAILED},
        {"maintenance_info": NEW},
        {"removed_at": timezone.now()},
    ],
)
def test_otherwise_it_is_left_alone(behind, changes, monkeypatch) -> None:
    if changes == {"parameters": {}}:
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 31, 12, 0, tzinfo=UTC))
    ServiceInstance.objects.filter(pk=behind.pk).update(**changes)
    before = ServiceInstance.objects.values("operation_type", "operation_state", "due_at").get(pk=behind.pk)
    upgrade_in_window()
    assert before == ServiceInstance.objects.values("operation_type", "operation_state", "due_at").get(pk=behind.pk)


@pytest.mark.slow
def test_a_database_keeps_its_window_and_shows_it(bed: Bed) -> None:
    made = bed.made("postgres", "tiny-15", **{window.NAME: "Tue:04:00-Tue:04:30"})
    assert bed.broker.fetch(made).parameters[window.NAME] == "Tue:04:00-Tue:04:30"
    later = replace(made, parameters={window.NAME: "Sun:23:45-Mon:00:45"})
    assert bed.broker.update(later, Previous(made.plan_id)) == Done()
    assert bed.broker.fetch(made).parameters[window.NAME] == "Sun:23:45-Mon:00:45"
    short = replace(made, parameters={window.NAME: "Sun:23:45-Sun:23:46"})
    assert isinstance(bed.broker.update(short, Previous(made.plan_id)), Refused)
    other = bed.made("postgres", "tiny-15")
    assert bed.broker.fetch(other).parameters[window.NAME] == window.chosen(other.guid)
