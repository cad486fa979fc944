"""One machine with the platform's own services for each test file; a foreign broker over HTTP, registered or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Job, User
from apps.actions import app as apps
from apps.models import App
from paas.lib.queue import work
from services.actions import broker as brokers
from services.actions import instance as instances
from services.models import Binding, Plan, ServiceBroker, ServiceInstance
from tenants.models import Space
from tests.cell.relay import relay, relayed
from tests.services.bed import Bed, bed_in
from tests.services.broker import MisbehavingBroker, misbehaving

__all__ = ["relay", "relayed"]

HERE = ["127.0.0.0/8"]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    made = bed_in(tmp_path_factory.mktemp("machine"))
    try:
        yield made
    finally:
        made.machine.close()


@pytest.fixture
def settle() -> Callable[[Any], Any]:
    """Let the workers do all that is due for an instance and its bindings, as if time flew; return it, or None if it is gone."""

    def run(row: Any, *, rounds: int = 12) -> Any:
        instance = row.instance if isinstance(row, Binding) else row
        for _ in range(rounds):
            due = [*ServiceInstance.objects.filter(pk=instance.pk), *Binding.objects.filter(instance=instance.pk)]
            due = [each for each in due if each.due_at]
            for each in due:
                type(each).objects.filter(pk=each.pk).update(due_at=timezone.now())
                work(f"services.jobs.work_on_{'binding' if isinstance(each, Binding) else 'instance'}", each.pk)
            if not due:
                break
        return type(row).objects.filter(pk=row.pk).first()

    return run


@pytest.fixture
def app(alice: User, space: Space) -> App:
    return apps.create(alice, space, name="site")


@pytest.fixture
def instance(alice: User, space: Space, plans: dict[str, Plan], settle: Callable[[Any], Any]) -> ServiceInstance:
    """An instance of alice's, made by the foreign broker."""
    made, _job = instances.create(alice, space, name="data", plan=plans["small"], parameters={"password": "swordfish"})
    found: ServiceInstance = settle(made)
    return found


@pytest.fixture
def foreign() -> Iterator[MisbehavingBroker]:
    with misbehaving() as broker:
        yield broker


@pytest.fixture
def synchronize() -> Callable[[Job], Job]:
    """Let the worker read the catalogue that the job is about."""

    def run(job: Job) -> Job:
        work("services.jobs.synchronize", ServiceBroker.objects.get(guid=job.resource_guid).pk)
        job.refresh_from_db()
        return job

    return run


@pytest.fixture
def register(root: User, foreign: MisbehavingBroker, synchronize: Callable[[Job], Job]) -> Callable[..., ServiceBroker]:
    """Register the foreign broker, for one space or for all, and read its catalogue."""

    def run(space: Space | None = None, *, name: str = "foreign", **fields: Any) -> ServiceBroker:
        given = {"url": foreign.url, "username": foreign.username, "password": foreign.password, "networks": HERE}
        job = synchronize(brokers.create(root, space, name=name, **(given | fields)))
        assert job.state == Job.State.COMPLETE, job.errors
        return ServiceBroker.objects.get(guid=job.resource_guid)

    return run


@pytest.fixture
def plans(register: Callable[..., ServiceBroker]) -> dict[str, Plan]:
    """The plans of a broker that is registered for all, open to everybody, by name."""
    broker = register()
    Plan.objects.filter(offering__broker=broker).update(visibility_type=Plan.Visibility.PUBLIC)
    return {plan.name: plan for plan in Plan.objects.select_related("offering__broker")}


@pytest.fixture
def recorded() -> Callable[[str], AuditEvent]:
    """Return the newest audit event of a type; there must be one."""
    return lambda type: AuditEvent.objects.filter(type=type).latest("id")
