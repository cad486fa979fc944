"""What a broker may have made though its making failed is removed again: row by row as the specification has it."""

from __future__ import annotations

import pytest

from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Binding, ServiceInstance
from tests.services.broker import BREAKS, DROPS, DROPS_UNDONE, GARBAGE, Trick, fails

# what the broker does -> whether it has to be told to remove what it may have made
TABLE = [
    (Trick(200, body=b"<html>"), False),
    (Trick(201, body=b"<html>"), True),
    (Trick(202, body=b"<html>"), True),
    (Trick(203), True),
    (Trick(204, body=b""), True),
    (fails(500, description="It burns"), True),
    (fails(503), True),
    (fails(408), False),
    (fails(400, description="No"), False),
    (fails(401), False),
    (fails(409), False),
    (fails(410), False),
    (fails(422, "AsyncRequired"), False),
    (fails(422, "RequiresApp"), False),
    (fails(422, "MaintenanceInfoConflict"), False),
    (fails(422), False),
    (DROPS, True),
    (DROPS_UNDONE, True),
    (BREAKS, True),
]
IDS = [f"{trick.status or 'lost'}-{number}" for number, (trick, _) in enumerate(TABLE)]


@pytest.mark.parametrize(("trick", "mitigated"), TABLE, ids=IDS)
def test_provisioning(alice, space, plans, foreign, settle, trick, mitigated):
    foreign.next("provision", trick)
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    row = settle(row)
    assert (row.operation_type, row.operation_state, row.orphan) == ("create", "failed", False)
    assert bool(foreign.asked("deprovision")) is mitigated
    if mitigated:
        assert foreign.instances == {}


@pytest.mark.parametrize(("trick", "mitigated"), TABLE, ids=IDS)
def test_binding(alice, instance, app, foreign, settle, trick, mitigated):
    foreign.next("bind", trick)
    row = settle(bindings.create(alice, instance, app=app))
    assert (row.operation_type, row.operation_state, row.orphan) == ("create", "failed", False)
    assert bool(foreign.asked("unbind")) is mitigated
    if mitigated:
        assert foreign.bindings == {}


@pytest.mark.parametrize("trick", [GARBAGE, *(trick for trick, _ in TABLE if trick.status not in (200, 202))])
def test_an_update_never_removes_anything(alice, instance, plans, foreign, settle, trick):
    foreign.next("update", trick)
    instances.update(alice, instance, plan=plans["large"])
    row = settle(instance)
    assert (row.operation_type, row.operation_state) == ("update", "failed")
    assert row.plan.name == "small" and not row.orphan
    assert not foreign.asked("deprovision") and row.guid in foreign.instances


def test_what_failed_after_a_while_is_removed(alice, space, plans, foreign, settle):
    foreign.polls = 2
    foreign.next("poll", Trick(body={"state": "in progress"}), Trick(body={"state": "failed", "description": "Full"}))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    row = settle(row)
    assert (row.operation_state, row.operation_description, row.orphan) == ("failed", "Full", False)
    assert foreign.asked("deprovision") and foreign.instances == {}


def test_a_poll_that_fails_is_done_again(alice, space, plans, foreign, settle):
    foreign.polls = 1
    foreign.next("poll", fails(500), GARBAGE, fails(404), DROPS, Trick(body={"state": "who knows"}))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    assert settle(row).operation_state == "succeeded"


def test_after_the_plans_longest_time_a_creation_is_given_up(alice, space, plans, foreign, settle):
    foreign.polls = 1000
    type(plans["small"]).objects.update(maximum_polling_duration=1)
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    settle(row, rounds=1)
    ServiceInstance.objects.update(deadline="2020-01-01T00:00:00Z")
    foreign.polls = 0
    row = settle(row)
    assert row.operation_state == "failed" and "did not finish" in row.operation_description
    assert foreign.instances == {} and not row.orphan


def test_a_broker_that_is_busy_is_asked_again_later(alice, space, plans, foreign, settle):
    foreign.next("provision", fails(422, "ConcurrencyError"), fails(422, "ConcurrencyError"))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    assert settle(row).operation_state == "succeeded"
    assert len(foreign.asked("provision")) == 3


def test_the_removal_is_tried_until_it_succeeds(alice, space, plans, foreign, settle):
    foreign.next("provision", DROPS)
    foreign.next("deprovision", fails(500), DROPS_UNDONE, fails(422, "ConcurrencyError"), fails(404))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    row = settle(row)
    assert not row.orphan and foreign.instances == {} and len(foreign.asked("deprovision")) == 5


def test_an_instance_whose_creation_failed_is_deleted_like_any_other(alice, space, plans, foreign, settle):
    foreign.next("provision", fails(500))
    foreign.always("deprovision", fails(500))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    row = settle(row, rounds=2)
    assert row.orphan
    foreign.always("deprovision", None)
    job = instances.delete(alice, row)
    assert settle(row) is None
    job.refresh_from_db()
    assert job.state == "COMPLETE"


def test_a_failed_binding_makes_way_for_the_next_try(alice, instance, app, foreign, settle):
    foreign.next("bind", fails(500))
    first = settle(bindings.create(alice, instance, app=app))
    assert first.operation_state == "failed"
    second = settle(bindings.create(alice, instance, app=app))
    assert second.operation_state == "succeeded"
    assert list(Binding.objects.filter(app=app)) == [second]
