"""The platform's own services on offer, and put back where their containers are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps import addresses
from apps.actions import capacity
from paas.lib.queue import work
from paas.seams.runtimes.fake import FakeRuntime
from services import outside, ways
from services.jobs.keep import keep
from services.models import Binding, Plan, ServiceBroker, ServiceInstance
from tenants.models import Region, Space

MADE = (outside.runtime, outside.own_services)


@pytest.fixture
def runtime(settings: Any, region: Region, tmp_path: Path) -> Iterator[FakeRuntime]:
    settings.PAAS_RUNTIME_KIND, settings.PAAS_STATE = "fake", tmp_path
    settings.PAAS_SERVICE_IMAGES = {"postgres": "postgres", "redis": "redis", "mysql": "mysql"}
    addresses.fill(region, "10.99.0.0/24")
    for each in MADE:
        each.cache_clear()
    yield outside.runtime()  # type: ignore[misc]
    for each in MADE:
        each.cache_clear()


@pytest.fixture
def on_offer(runtime: FakeRuntime, system: Any) -> Plan:
    for _ in range(2):  # twice is harmless
        call_command("offer_services")
    work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
    return Plan.objects.select_related("offering").get(offering__name="postgres", name="tiny-15")


@pytest.fixture
def database(on_offer: Plan, space: Space) -> ServiceInstance:
    return ServiceInstance.objects.create(space=space, region=space.region, plan=on_offer, name="data")


def test_what_comes_with_the_platform_is_there_for_everybody(on_offer: Plan, space: Space) -> None:
    assert on_offer in Plan.objects.usable_in(space)
    assert on_offer.costs == [{"currency": "GBP", "amount": 13.87, "unit": "MONTHLY"}]
    assert on_offer.create_schema["properties"]["enable_extensions"] and on_offer.bind_schema["properties"]["read_only"]


def test_an_instance_whose_container_is_gone_runs_again(runtime: FakeRuntime, database: ServiceInstance) -> None:
    keep()
    made = runtime.instances[database.guid]
    assert made.workload.volume and made.workload.volume.name == database.guid
    assert made.placement.address.startswith("10.99.0.")
    keep()
    assert runtime.instances[database.guid] is made
    runtime.prune(database.guid, ())
    keep()
    assert runtime.instances[database.guid].placement == made.placement


@pytest.mark.parametrize("state", ["initial", "in progress"])
def test_what_a_job_is_at_work_on_is_left_to_it(runtime: FakeRuntime, database: ServiceInstance, state: str) -> None:
    ServiceInstance.objects.filter(pk=database.pk).update(operation_type="update", operation_state=state)
    keep()
    assert not runtime.instances


def test_what_was_never_made_is_not_put_back(runtime: FakeRuntime, database: ServiceInstance) -> None:
    ServiceInstance.objects.filter(pk=database.pk).update(operation_type="create", operation_state="failed")
    keep()
    assert not runtime.instances


def test_only_where_there_is_no_room_it_stays_away(
    settings: Any, runtime: FakeRuntime, database: ServiceInstance, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.memory_mb = 10
    keep()
    assert not runtime.instances and database.guid in caplog.text


def test_what_services_take_is_not_there_for_apps(database: ServiceInstance) -> None:
    assert capacity.taken_mb(database.region) == database.plan.broker_metadata["memory_mb"]  # type: ignore[union-attr]


def test_a_binding_opens_the_way_to_the_instance_and_no_other(runtime: FakeRuntime, database: ServiceInstance) -> None:
    assert ways.to([Binding(instance=database)]) == ()  # it has no address yet
    keep()
    (way,) = ways.to([Binding(instance=database), Binding(instance=database)])
    assert (way.address, way.port) == (runtime.instances[database.guid].placement.address, 5432)
