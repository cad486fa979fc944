"""Restoring what Amazon keeps: who may ask for it at the door, and where it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from django.core.management import call_command

from accounts import audit
from accounts.models import AuditEvent, User
from paas.lib.queue import work
from services import outside
from services.actions import instance as instances
from services.brokers.amazon.cloud import Account
from services.models import Plan, ServiceBroker, ServiceInstance
from tenants import access
from tenants.models import Space
from tests.services.test_backup_doors import BEFORE, LATEST, TIME, creation, sentence

PATH, RESTORED = "/v3/service_instances", "audit.service_instance.restore"


@pytest.fixture
def plan(settings: Any, system: User) -> Iterator[Plan]:
    """Of databases at Amazon, which nobody calls here."""
    settings.PAAS_AWS = asdict(Account(region="eu-west-2"))
    outside.amazon.cache_clear()
    call_command("offer_services", "amazon")
    work("services.jobs.synchronize", ServiceBroker.objects.get(kind="amazon").pk)
    yield Plan.objects.select_related("offering").get(offering__name="aws-rds-postgres", name="tiny-15")
    outside.amazon.cache_clear()


@pytest.fixture
def database(plan: Plan, space: Space, alice: User) -> ServiceInstance:
    made, _job = instances.create(alice, space, name="data", plan=plan)
    ServiceInstance.objects.filter(pk=made.pk).update(operation_state="succeeded")
    return made


def develops(user: User, space: Space, by: User) -> None:
    access.give(user, "organization_user", space.organization, by=by)
    access.give(user, "space_developer", space, by=by)


def gone(database: ServiceInstance, by: User) -> None:
    """As the job leaves it that had Amazon delete the database."""
    audit.record(by, "audit.service_instance.delete", database)
    ServiceInstance.objects.filter(pk=database.pk).delete()


def nothing_came_of_it() -> bool:
    made, recorded = ServiceInstance.objects.filter(name="again"), AuditEvent.objects.filter(type=RESTORED)
    return not made.exists() and not recorded.exists()


def test_a_restore_is_recorded_in_both_organizations(api, alice, root, space, other_space, plan, database):
    develops(alice, other_space, root)
    asked = creation(other_space, plan, **{TIME: database.guid, BEFORE: "2026-03-31 14:05:00"})
    assert api(alice).post(PATH, asked).status_code == 202
    events = AuditEvent.objects.filter(type=RESTORED)
    assert {each.organization_guid for each in events} == {space.organization.guid, other_space.organization.guid}
    made = ServiceInstance.objects.get(name="again")
    assert {each.target_guid for each in events} == {made.guid}
    told = {"source_guid": database.guid, "source_name": "data", "as_of": "2026-03-31T14:05:00+00:00"}
    assert [each.data for each in events] == [told, told]
    assert made.wish["parameters"][TIME] == database.guid and "restore" not in made.wish


def test_in_the_same_space_it_is_recorded_once(api, alice, space, plan, database, recorded):
    assert api(alice).post(PATH, creation(space, plan, **{LATEST: database.guid})).status_code == 202
    assert recorded(RESTORED).data == {"source_guid": database.guid, "source_name": "data", "as_of": None}
    assert AuditEvent.objects.filter(type=RESTORED).count() == 1


def test_whoever_may_not_see_its_credentials_restores_nothing(api, bob, root, other_space, plan, database):
    develops(bob, other_space, root)
    assert api(bob).post(PATH, creation(other_space, plan, **{TIME: database.guid})).status_code == 403
    assert nothing_came_of_it()


def test_whom_an_instance_is_shared_with_restores_nothing(api, charlie, other_space, plan, database):
    database.shares.create(space=other_space)
    assert api(charlie).post(PATH, creation(other_space, plan, **{LATEST: database.guid})).status_code == 403
    assert nothing_came_of_it()


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("parameter", [LATEST, TIME])
def test_a_stranger_never_restores_somebody_elses_data(
    api, alice, charlie, other_space, plan, database, parameter, deleted
):
    if deleted:
        gone(database, alice)
    answer = api(charlie).post(PATH, creation(other_space, plan, **{parameter: database.guid}))
    assert "no service instance" in sentence(answer) and nothing_came_of_it()


def test_a_deleted_one_comes_back_in_its_space_and_in_no_other(
    api, alice, root, space, other_space, plan, database, recorded
):
    develops(alice, other_space, root)
    gone(database, alice)
    elsewhere = api(alice).post(PATH, creation(other_space, plan, **{LATEST: database.guid}))
    assert "no service instance" in sentence(elsewhere) and nothing_came_of_it()
    assert api(alice).post(PATH, creation(space, plan, **{LATEST: database.guid})).status_code == 202
    event = recorded(RESTORED)
    assert (event.data["source_name"], event.space_guid) == ("data", space.guid)


def test_what_another_broker_made_is_no_source(api, alice, space, plan, database):
    provided = ServiceInstance.objects.create(space=space, region=space.region, name="own", type="user-provided")
    assert "no service instance" in sentence(api(alice).post(PATH, creation(space, plan, **{LATEST: provided.guid})))


def test_what_is_not_told_clearly_is_refused_at_once(api, alice, space, plan, database):
    for asked in ({LATEST: database.guid, TIME: database.guid}, {BEFORE: "2026-03-31 14:05:00"}, {LATEST: "data"}):
        sentence(api(alice).post(PATH, creation(space, plan, **asked)))
    assert nothing_came_of_it()
