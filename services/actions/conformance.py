"""Has a broker checked against the specification, for its author."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.models import new_guid
from paas.lib.queue import later
from services.actions import broker as brokers
from services.models import ConformanceCheck, Plan, ServiceBroker


@transaction.atomic
def check(
    actor: User, broker: ServiceBroker, *, plan: Plan | None = None, parameters: dict[str, Any] | None = None
) -> Job:
    """Ask for a check; with a plan throw-away instances are made of it, and removed. The last result gives way."""
    brokers.authorize_for(actor, broker.space)
    broker = ServiceBroker.objects.lock(broker.pk)
    if broker.kind != "osb":
        raise Unprocessable("Only brokers that are called over HTTP can be checked. This one is the platform's own.")
    row = ConformanceCheck.objects.get_or_create(broker=broker)[0]
    row = ConformanceCheck.objects.lock(row.pk)
    if row.going_on:
        raise Unprocessable("A check of this broker is under way. Wait until it has ended.")
    row.plan, row.plan_name = plan, f"{plan.offering.name} {plan.name}" if plan else ""
    row.parameters, row.seed, row.findings = parameters or {}, new_guid(), []
    row.job = Job.objects.create(owner=actor, operation="service_broker.check", resource_guid=broker.guid)
    row.asked_by, row.begun_at, row.ended_at, row.due_at = actor, timezone.now(), None, timezone.now()
    row.save()
    audit.record(actor, "audit.service_broker.check", broker, plan=row.plan_name)
    later("services.jobs.check_conformance", row.pk)
    return row.job
