"""Reads a broker's catalogue, checks all of it, and makes the offerings and plans what it says."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import PaasError
from paas.lib.queue import Lease, job
from paas.lib.v3.door import error_body
from services import outside
from services.brokers.base import BrokerError, CatalogOffering
from services.jobs.offered import Changes, accept
from services.models import ServiceBroker

TOLD = 100  # sentences that a job or an event repeats
WISHED = ("url", "credentials", "networks")


@job("services.jobs.synchronize", model=ServiceBroker, queue="services")
def synchronize(lease: Lease) -> None:
    """Fetch from where the broker is wished to be; only what answers with a right catalogue takes the old one's place."""
    asked = _as_wished(lease.row)
    with lease.beating():
        try:
            _accept(lease, asked, outside.broker(asked).catalog())
        except BrokerError as error:
            _fail(lease, error)


@transaction.atomic
def _accept(lease: Lease, asked: ServiceBroker, offered: tuple[CatalogOffering, ...]) -> None:
    broker = ServiceBroker.objects.lock(lease.pk)
    changes = accept(broker, offered)
    wished = {name: getattr(asked, name) for name in WISHED}
    lease.save(
        **wished,
        state=ServiceBroker.State.AVAILABLE,
        wish=None,
        synchronized_at=timezone.now(),
        updated_at=timezone.now(),
    )
    _record(broker, changes)
    _finish(broker, warnings=_warnings(broker, changes))


def _as_wished(broker: ServiceBroker) -> ServiceBroker:
    for name, value in (broker.wish or {}).items():
        setattr(broker, name, value)
    return broker


def _fail(lease: Lease, error: PaasError) -> None:
    """Tell whoever asked; a broker that has worked before goes on as it was."""
    with transaction.atomic():
        broker = ServiceBroker.objects.lock(lease.pk)
        worked = broker.state == ServiceBroker.State.AVAILABLE or broker.synchronized_at
        state = ServiceBroker.State.AVAILABLE if worked else ServiceBroker.State.SYNCHRONIZATION_FAILED
        lease.save(state=state, wish=None, updated_at=timezone.now())
        audit.record(_actor(broker), "audit.service_broker.synchronize-failed", broker, error=error.detail)
        _finish(broker, state=Job.State.FAILED, errors=error_body(error)["errors"])


def _finish(broker: ServiceBroker, *, state: str = Job.State.COMPLETE, **fields: Any) -> None:
    Job.objects.filter(pk=broker.job_id).update(state=state, updated_at=timezone.now(), **fields)


def _actor(broker: ServiceBroker) -> User:
    return broker.asked_by or User.objects.system()


def _record(broker: ServiceBroker, changes: Changes) -> None:
    told = changes.sentences
    audit.record(
        _actor(broker), "audit.service_broker.synchronize", broker, sentences=told[:TOLD], number_of_changes=len(told)
    )


def _warnings(broker: ServiceBroker, changes: Changes) -> list[dict[str, str]]:
    """What changed in a catalogue that was there before, and what is kept of it."""
    told = changes.sentences[:TOLD] if broker.synchronized_at else []
    if len(changes.sentences) > len(told) > 0:
        told = [*told, f"{len(changes.sentences) - len(told)} more changes are not shown."]
    if changes.kept:
        told = [
            *told,
            "These plans are missing from the broker's catalog and have instances, so they are kept and no new instances "
            "can be made of them. The broker should go on to support binding, unbinding and deleting what there is: "
            f"{', '.join(changes.kept)}.",
        ]
    return [{"detail": sentence} for sentence in told]
