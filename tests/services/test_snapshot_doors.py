"""Backups of what is copied whole: which restores can be asked for, and what a deleted instance comes back with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from services.actions import instance as instances
from services.models import Plan, ServiceInstance
from tests.services.test_backup_doors import BEFORE, LATEST, TIME, backed_up, creation, sentence
from tests.services.test_keep import on_offer, runtime  # noqa: F401 - fixtures


@pytest.fixture(params=[("redis", "micro-7"), ("mysql", "tiny-10")], ids=["redis", "mysql"])
def plan(on_offer, request) -> Plan:  # noqa: F811
    service, name = request.param
    return Plan.objects.select_related("offering").get(offering__name=service, name=name)


@pytest.fixture
def kept(plan, space, alice) -> ServiceInstance:
    """An instance that a backup of an hour ago is kept of."""
    made, _job = instances.create(alice, space, name="data", plan=plan)
    ServiceInstance.objects.filter(pk=made.pk).update(operation_state="succeeded")
    backed_up(made.repository)
    return made


def test_it_is_restored_as_of_a_backup(api, alice, space, plan, kept):
    answer = api(alice).post("/v3/service_instances", creation(space, plan, **{LATEST: kept.guid}))
    assert answer.status_code == 202
    made = ServiceInstance.objects.get(name="again")
    assert made.wish["restore"] == {"repository": kept.repository.pk, "backup": "20260101-000000F"}
    events = AuditEvent.objects.filter(type="audit.service_instance.restore", target_guid=made.guid)
    assert {each.data["source_guid"] for each in events} == {kept.guid}


def test_a_moment_in_between_is_refused_with_what_can_be(api, alice, space, plan, kept):
    for asked in ({TIME: kept.guid}, {TIME: kept.guid, BEFORE: "2026-01-01 00:00:00"}):
        told = sentence(api(alice).post("/v3/service_instances", creation(space, plan, **asked)))
        assert "as it was when a backup was taken" in told and LATEST in told
    schema = api(alice).get(f"/v3/service_plans/{plan.guid}").json()["schemas"]
    assert TIME not in schema["service_instance"]["create"]["parameters"]["properties"]


def test_an_auditor_may_not_and_a_stranger_knows_of_nothing(api, bob, charlie, space, plan, kept):
    asked = creation(space, plan, **{LATEST: kept.guid})
    assert api(bob).post("/v3/service_instances", asked).status_code == 403
    assert api(charlie).post("/v3/service_instances", asked).status_code == 422
    assert api(charlie).get(f"/v3/service_instances/{kept.guid}/backups").status_code == 404


def test_a_deleted_instance_comes_back_with_its_last_state_or_an_older_one(api, alice, space, plan, kept):
    """The last is taken as it goes, when nobody is left to note it."""
    repository = kept.repository
    repository.instance, repository.deleted_at = None, timezone.now()
    repository.save()
    kept.delete()
    api(alice).post("/v3/service_instances", creation(space, plan, **{LATEST: repository.guid}))
    assert ServiceInstance.objects.get(name="again").wish["restore"] == {"repository": repository.pk}
    older = {LATEST: repository.guid, "restore_from_latest_snapshot_before": str(timezone.now() - timedelta(minutes=1))}
    api(alice).post("/v3/service_instances", creation(space, plan, **older) | {"name": "older"})
    assert ServiceInstance.objects.get(name="older").wish["restore"]["backup"] == "20260101-000000F"
