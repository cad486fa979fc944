"""Broker and database are compared once a day, and admins see where they differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps import addresses
from apps.models import Task
from paas.lib.errors import ServiceUnavailable
from services import crossing, outside
from services.actions import binding as bindings
from services.actions import instance as instances
from services.addresses import Stock
from services.brokers.base import Accepted, Done, Origin
from services.brokers.engine.base import Mark, NotReady
from services.jobs.compare import compare
from services.jobs.keep import keep
from services.models import Repository, ServiceBroker, ServiceInstance
from tests.services.bed import SCALE
from tests.services.broker import fails
from tests.services.test_keep import database, on_offer, runtime  # noqa: F401 - fixtures

MADE = (outside.blobs, outside.runtime, outside.own_services)


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


# What the platform's own engine has, and no row knows -------------------------------------------------------------------


@pytest.fixture
def made(runtime, database):  # noqa: F811
    """A database of our own that is about to be made: what it holds is there, and nobody asks it for more."""
    keep()
    ServiceInstance.objects.filter(pk=database.pk).update(operation_state="in progress")
    return database


class Meanwhile(Stock):
    """While it is asked, something happens."""

    def __init__(self, happening):
        self.happening = happening

    def owners(self):
        found = super().owners()
        self.happening()
        return found


def test_what_was_purged_and_goes_on_running_is_said_until_it_is_removed(root, made):
    assert differences() == []
    with pytest.raises(CommandError, match="is known"):
        call_command("remove_left_over", made.guid)
    instances.purge(root, made)
    (said,) = differences()
    assert made.guid in said and "container, volume, address." in said and f"remove_left_over {made.guid}" in said
    call_command("remove_left_over", made.guid)
    assert differences() == []
    with pytest.raises(CommandError, match="has nothing"):
        call_command("remove_left_over", made.guid)


def test_what_proofs_and_kept_backups_have_is_not_said(runtime, made):  # noqa: F811
    broker, crossed = outside.own_services(), replace(crossing.instance_for(made), cipher="c" * 43)
    Repository.objects.create(guid=made.guid, space=made.space, name="data", offering_id="x", disk_mb=1)
    with pytest.raises(NotReady):  # it has only begun
        broker.keeping.prove(crossed, Mark(timezone.now(), {"backup": "20260101-000000F", "tables": []}))
    broker.run(replace(crossed, guid="gone"))
    Repository.objects.create(guid="gone", space=made.space, name="gone", offering_id="x", disk_mb=1)
    broker.clear("gone")  # and its backups stay
    assert {f"{made.guid}-proof", f"{made.guid}-backups", "gone-backups"} <= runtime.kept()
    assert f"{made.guid}-proof" in [seen.app for seen in runtime.observe()]
    assert differences() == []
    Repository.objects.filter(guid="gone").delete()
    (said,) = differences()
    assert "(gone)" in said and "backups." in said


def test_what_a_restore_has_on_its_way_is_not_said(runtime, made, monkeypatch):  # noqa: F811
    monkeypatch.setattr("services.brokers.container.PATIENCE", 0)
    broker, crossed = outside.own_services(), replace(crossing.instance_for(made), cipher="c" * 43)
    broker.clear(made.guid)
    assert isinstance(broker.provision(replace(crossed, origin=Origin(made.guid, "d" * 43))), Accepted)
    (seen,) = runtime.observe()
    assert seen.process_type == "restore" and differences() == []


def test_what_comes_and_goes_while_it_is_compared_is_not_said(made):
    guid = made.guid
    outside.own_services().addresses = Meanwhile(lambda: ServiceInstance.objects.filter(guid=guid).delete())
    assert differences() == []
    again = ServiceInstance(
        guid=guid, space=made.space, region=made.region, plan=made.plan, operation_state="in progress"
    )
    outside.own_services().addresses = Meanwhile(again.save)
    assert differences() == []


def test_addresses_of_apps_are_no_business_of_services(made, app):
    region = made.region
    Task.objects.create(guid="task", app=app, name="work", command="work", sequence_id=1, memory_mb=1, disk_mb=1)
    addresses.take(region, "task")
    assert addresses.owners_beside_apps(region) == [made.guid]
    addresses.take(region, "lost")
    (said,) = differences()
    assert "(lost)" in said and ": address." in said


def test_an_engine_that_does_not_answer_is_said(made):
    def away():
        raise ServiceUnavailable("The agent does not answer.")

    outside.own_services().addresses = Meanwhile(away)
    (said,) = differences()
    assert "could not tell" in said and "The agent does not answer." in said


@pytest.mark.slow
def test_on_a_real_machine_nothing_is_left_of_what_is_removed(bed, settings, region, system):
    settings.PAAS_STATE, settings.PAAS_INSTALL = bed.machine.folder, bed.machine.install
    settings.PAAS_RUNTIME_KIND, settings.PAAS_SERVICE_IMAGES = "docker", bed.broker.images
    settings.PAAS_SERVICES_SCALE, settings.PAAS_MEMORY_MB = SCALE, bed.machine.runtime.memory_mb
    addresses.fill(region, f"{bed.machine.prefix}.128/26")
    for each in MADE:
        each.cache_clear()
    try:
        ServiceBroker.objects.create(kind="container", name="platform", state=ServiceBroker.State.AVAILABLE)
        lost = replace(bed.instance("redis", "micro-7"), cipher="c" * 43)
        assert outside.own_services().provision(lost) == Done()
        (said,) = differences()
        assert lost.guid in said and "container, volume, backups, address." in said
        call_command("remove_left_over", lost.guid)
        assert differences() == []
        assert not list((bed.machine.folder / "volumes").glob(f"{lost.guid}*"))
    finally:
        for each in MADE:
            each.cache_clear()
