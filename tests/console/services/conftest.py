"""The pages are shown with a broker over HTTP, and with the platform's own services on an engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from apps import addresses
from apps import outside as apps_outside
from paas.lib.queue import work
from services import outside
from services.actions import binding as bindings
from services.actions import user_provided
from services.models import Binding, Plan, ServiceBroker, ServiceInstance
from tenants.models import Region, Space
from tests.services.conftest import app, foreign, instance, plans, recorded, register, settle, synchronize

__all__ = ["app", "foreign", "instance", "plans", "recorded", "register", "settle", "synchronize"]
MADE = (apps_outside.runtime, apps_outside.router, outside.runtime, outside.own_services)
SECRET = "swordfish"


@pytest.fixture
def postgres(settings: Any, region: Region, tmp_path: Path, system: User) -> Iterator[dict[str, Plan]]:
    """PostgreSQL's plans on offer, by name; the engine is in memory."""
    settings.PAAS_RUNTIME_KIND = settings.PAAS_ROUTER_KIND = "fake"
    settings.PAAS_STATE, settings.PAAS_MEMORY_MB = tmp_path, 4096
    settings.PAAS_SERVICE_IMAGES = {"postgres": "postgres", "redis": "redis", "mysql": "mysql"}
    addresses.fill(region, "10.99.0.0/24")
    for each in MADE:
        each.cache_clear()
    call_command("offer_services")
    work("services.jobs.synchronize", ServiceBroker.objects.get(kind="container").pk)
    rows = Plan.objects.filter(offering__name="postgres").select_related("offering__broker")
    yield {plan.name: plan for plan in rows}
    for each in MADE:
        each.cache_clear()


@pytest.fixture
def database(postgres: dict[str, Plan], space: Space) -> ServiceInstance:
    """A PostgreSQL instance as it stands when it has been made; nothing runs."""
    plan = postgres["tiny-15"]
    return ServiceInstance.objects.create(
        space=space, region=space.region, plan=plan, name="records", maintenance_info=plan.maintenance_info
    )


@pytest.fixture
def legacy(alice: User, space: Space) -> ServiceInstance:
    """Credentials from elsewhere."""
    return user_provided.create(alice, space, name="legacy", credentials={"uri": f"db://u:{SECRET}@db.example.org"})


@pytest.fixture
def bound(alice: User, instance: ServiceInstance, app: Any, settle: Callable[[Any], Any]) -> Binding:
    found: Binding = settle(bindings.create(alice, instance, app=app))
    return found


@pytest.fixture
def key(alice: User, instance: ServiceInstance, settle: Callable[[Any], Any]) -> Binding:
    found: Binding = settle(bindings.create_key(alice, instance, name="ci"))
    return found
