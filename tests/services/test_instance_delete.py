"""Deleting and purging instances, and what goes with them."""

from __future__ import annotations

import pytest

from accounts.models import Job, UsageEvent
from services.actions import binding as bindings
from services.actions import instance as instances
from services.models import Binding, ServiceInstance
from tenants.models import QuotaUse
from tests.services.broker import fails


def path(instance):
    return f"/v3/service_instances/{instance.guid}"


def job_of(answer):
    assert (answer.status_code, answer.content) == (202, b""), answer.content
    return Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])


@pytest.fixture
def bound(alice, instance, app, settle):
    """The instance, bound to the app and with a key."""
    settle(bindings.create(alice, instance, app=app))
    settle(bindings.create_key(alice, instance, name="mine"))
    return instance


@pytest.mark.parametrize("polls", [0, 2])
def test_bindings_and_keys_go_first(api, alice, space, bound, foreign, settle, recorded, polls):
    foreign.polls = polls
    job = job_of(api(alice).delete(path(bound)))
    assert api(alice).get(path(bound)).json()["last_operation"]["type"] == "delete"
    assert settle(bound) is None
    job.refresh_from_db()
    assert job.state == "COMPLETE" and foreign.instances == foreign.bindings == {}
    asked = [call.what for call in foreign.calls if call.what in ("unbind", "deprovision")]
    assert asked == ["unbind", "unbind", "deprovision"]
    use = QuotaUse.objects.get(space=space)
    assert (use.service_instances, use.service_keys) == (0, 0)
    assert UsageEvent.objects.filter(state="DELETED").count() == 1
    assert recorded("audit.service_instance.delete").actor_guid == alice.guid
    assert api(alice).get(path(bound)).status_code == 404


def test_asking_twice_is_harmless(api, alice, instance, settle):
    first, second = (job_of(api(alice).delete(path(instance))) for _ in range(2))
    assert first == second and settle(instance) is None


def test_an_instance_that_is_gone_at_the_broker_is_deleted(api, alice, instance, foreign, settle):
    foreign.instances.clear()
    job = job_of(api(alice).delete(path(instance)))
    assert settle(instance) is None
    job.refresh_from_db()
    assert job.state == "COMPLETE"


def test_a_deletion_that_fails_can_be_asked_for_again(api, alice, space, instance, foreign, settle):
    foreign.next("deprovision", fails(400, description="It is in use"))
    job = job_of(api(alice).delete(path(instance)))
    row = settle(instance)
    job.refresh_from_db()
    assert (row.operation_type, row.operation_state, job.state) == ("delete", "failed", "FAILED")
    assert "It is in use" in row.operation_description
    assert api(alice).patch(path(instance), {"name": "x"}).status_code == 422
    job_of(api(alice).delete(path(instance)))
    assert settle(instance) is None
    assert UsageEvent.objects.filter(state="DELETED").count() == 1


def test_a_binding_that_cannot_be_removed_holds_the_instance(api, alice, bound, foreign, settle):
    foreign.always("unbind", fails(400, description="Never"))
    job = job_of(api(alice).delete(path(bound)))
    row = settle(bound)
    job.refresh_from_db()
    assert (row.operation_state, job.state) == ("failed", "FAILED") and "Never" in row.operation_description
    assert not foreign.asked("deprovision")
    foreign.always("unbind", None)
    job_of(api(alice).delete(path(bound)))
    assert settle(bound) is None and foreign.bindings == {}


def test_a_creation_that_hangs_is_not_waited_for(api, alice, space, plans, foreign, settle):
    foreign.polls = 1000
    row, creation = instances.create(alice, space, name="data", plan=plans["small"])
    settle(row, rounds=2)
    foreign.polls = 0
    job_of(api(alice).delete(path(row)))
    assert settle(row) is None and foreign.instances == {}
    creation.refresh_from_db()
    assert creation.state == "FAILED" and creation.errors
    assert not UsageEvent.objects.filter(kind="service").exists()


def test_purging_forgets_without_asking(api, root, space, bound, foreign, recorded):
    assert api(root).delete(f"{path(bound)}?purge=true").status_code == 204
    assert not ServiceInstance.objects.exists() and not Binding.objects.exists()
    assert not foreign.asked("deprovision") and foreign.instances
    assert QuotaUse.objects.get(space=space).service_keys == 0
    assert recorded("audit.service_instance.purge").target_guid == bound.guid


def test_purging_is_the_platforms_business(api, alice, bob, charlie, instance):
    assert api(alice).delete(f"{path(instance)}?purge=true").status_code == 403
    assert api(bob).delete(path(instance)).status_code == 403
    assert api(charlie).delete(path(instance)).status_code == 404
