"""Broker and database are compared once a day, and admins see where they differ."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from services.actions import binding as bindings
from services.actions import instance as instances
from services.jobs.compare import compare
from services.models import ServiceBroker, ServiceInstance
from tests.services.broker import fails


def differences():
    ServiceBroker.objects.update(compared_at=None)
    compare()
    return ServiceBroker.objects.get().differences


def test_where_all_is_well_nothing_is_said(alice, instance, app, settle):
    settle(bindings.create(alice, instance, app=app))
    assert differences() == []
    assert ServiceBroker.objects.get().compared_at


def test_what_the_broker_lost_is_said(alice, instance, app, foreign, settle):
    row = settle(bindings.create(alice, instance, app=app))
    foreign.bindings.clear()
    foreign.instances.clear()
    lost, of_binding = differences()
    assert instance.guid in lost and "ministry/production" in lost and "not known to the broker" in lost
    assert row.guid in of_binding


def test_another_plan_at_the_broker_is_said(instance, foreign):
    foreign.instances[instance.guid]["plan_id"] = "plan-large"
    (said,) = differences()
    assert "plan small here" in said and "plan-large" in said


def test_what_the_broker_does_not_let_go_of_is_said(alice, space, plans, foreign, settle):
    foreign.next("provision", fails(500))
    foreign.always("deprovision", fails(500))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    settle(row, rounds=2)
    ServiceInstance.objects.update(operation_created_at=timezone.now() - timedelta(hours=2))
    (said,) = differences()
    assert "has not let go of it" in said


def test_what_was_never_made_here_and_is_there_is_said(alice, space, plans, foreign, settle):
    foreign.next("provision", fails(400))
    row, _job = instances.create(alice, space, name="data", plan=plans["small"])
    settle(row)
    foreign.instances[row.guid] = {"plan_id": "plan-small", "parameters": None}
    (said,) = differences()
    assert "was never created here" in said


def test_a_broker_that_gives_no_answer_is_said(instance, foreign):
    foreign.always("fetch", fails(500))
    (said,) = differences()
    assert "gave no answer about 1" in said


def test_once_a_day_is_enough(instance, foreign):
    assert differences() == []
    asked = len(foreign.asked("fetch"))
    compare()
    assert len(foreign.asked("fetch")) == asked


def test_admins_see_it_and_nobody_else(api, root, alice, instance, foreign):
    foreign.instances.clear()
    differences()
    path = f"/v3/service_brokers/{ServiceBroker.objects.get().guid}/differences"
    told = api(root).get(path).json()
    assert len(told["differences"]) == 1 and told["compared_at"]
    assert api(alice).get(path).status_code == 404
