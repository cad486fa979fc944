"""A worker or the database that dies at any point loses nothing, and leaves nothing behind at the broker.

What is written is written whole, so a worker can only die before the broker was called, or before its answer was kept.
"""

from __future__ import annotations

import pytest
from django.utils import timezone

from paas.lib import queue
from services import crossing, outside
from services.actions import binding as bindings
from services.actions import instance as instances
from services.brokers.base import Previous
from services.models import Binding, ServiceInstance
from tests.services.broker import fails


def lost(row, *, called: bool):
    """The row as a worker leaves it that died: taken up, and the broker ``called`` or not."""
    fields = {"operation_state": "in progress", "lease_until": timezone.now(), "lease_number": row.lease_number + 1}
    type(row).objects.filter(pk=row.pk).update(**fields)
    if called:
        _call(type(row).objects.get(pk=row.pk))


def _call(row):
    instance = row.instance if isinstance(row, Binding) else row
    broker, by = outside.broker(instance.plan.offering.broker), row.asked_by.guid
    parameters = (row.wish or {}).get("parameters")
    if isinstance(row, Binding):
        crossed = crossing.binding_for(row, parameters=parameters)
    else:
        crossed = crossing.instance_for(row, parameters=parameters, maintenance_info=row.plan.maintenance_info)
    if row.operation_type == "delete":
        return broker.remove(crossed, by=by)
    if row.operation_type == "update":
        return broker.update(crossed, Previous(row.plan.catalog_id), by=by)
    return broker.bind(crossed, by=by) if isinstance(row, Binding) else broker.provision(crossed, by=by)


@pytest.fixture(params=[False, True], ids=["before the call", "after the call"])
def called(request):
    return request.param


@pytest.fixture(params=[0, 2], ids=["at once", "after a while"])
def broker(request, foreign):
    foreign.polls = request.param
    return foreign


def test_a_creation_is_finished_by_another_worker(alice, space, plans, broker, settle, called):
    row, job = instances.create(alice, space, name="data", plan=plans["small"])
    lost(row, called=called)
    row = settle(row)
    job.refresh_from_db()
    assert (row.operation_state, job.state) == ("succeeded", "COMPLETE")
    assert list(broker.instances) == [row.guid] and not broker.asked("deprovision")


def test_an_update_too(alice, instance, broker, settle, called):
    instances.update(alice, instance, parameters={"size": 2})
    instance.refresh_from_db()
    lost(instance, called=called)
    assert settle(instance).operation_state == "succeeded"
    assert broker.asked("update")[-1].body["parameters"] == {"size": 2}


def test_a_binding_too(alice, instance, app, broker, settle, called):
    row = bindings.create(alice, instance, app=app)
    lost(row, called=called)
    row = settle(row)
    assert row.operation_state == "succeeded" and row.credentials["uri"] and list(broker.bindings) == [row.guid]


def test_a_deletion_too(alice, instance, broker, settle, called):
    job = instances.delete(alice, instance)
    instance.refresh_from_db()
    lost(instance, called=called)
    assert settle(instance) is None
    job.refresh_from_db()
    assert job.state == "COMPLETE" and broker.instances == {}


def test_a_removal_of_what_failed_too(alice, space, plans, broker, settle, called):
    broker.next("provision", fails(500))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    row = settle(row, rounds=1)
    assert row.orphan
    row.lease_until, row.lease_number = timezone.now(), row.lease_number + 1
    row.save()
    if called:
        outside.broker(row.plan.offering.broker).remove(crossing.instance_for(row))
    assert not settle(row).orphan and broker.instances == {}


def test_a_first_call_that_may_have_been_heard_is_cleared_away_when_the_second_is_refused(
    alice, space, plans, foreign, settle
):
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    lost(row, called=True)
    foreign.next("provision", fails(409))
    row = settle(row)
    assert row.operation_state == "failed" and not row.orphan and foreign.instances == {}


def test_one_that_wakes_late_writes_nothing_over_its_adopter(instance):
    stale = queue.Lease(instance, instance.lease_number - 1)
    with pytest.raises(queue.LeaseLost):
        stale.save(operation_state="failed")
    assert ServiceInstance.objects.get().operation_state == "succeeded"
