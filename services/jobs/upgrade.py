"""Upgrades of the platform's own services that wait: they are made in the window that each instance has for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from services.actions.operation import OperationUnderWay, begin, check_free
from services.brokers.engine import window
from services.models import Operation, ServiceInstance

AGAIN = timedelta(days=1)  # after an upgrade that failed: in the next window


def upgrade_in_window() -> None:
    """Begin every upgrade whose time it is, in the name of the platform."""
    now = timezone.now()
    waiting = ServiceInstance.objects.there().filter(plan__offering__broker__kind="container")
    for row in waiting.exclude(maintenance_info=F("plan__maintenance_info")).select_related("plan"):
        if _is_due(row, now):
            _upgrade(row.pk, now)


def _is_due(row: ServiceInstance, now: datetime) -> bool:
    offered = row.plan is not None and window.NAME in row.plan.create_schema.get("properties", {})
    if not offered or not row.upgrade_available or not row.maintenance_info:
        return False
    failed = row.operation_type == Operation.Type.UPDATE and row.operation_state == Operation.State.FAILED
    if failed and row.operation_created_at > now - AGAIN:
        return False
    return window.is_open(row.parameters.get(window.NAME) or window.chosen(row.guid), now)


@transaction.atomic
def _upgrade(pk: int, now: datetime) -> None:
    row = ServiceInstance.objects.there().select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None or not _is_due(row, now):
        return
    try:
        check_free(row)
    except OperationUnderWay:
        return  # it comes round again in a minute
    system, offered = User.objects.system(), row.plan.maintenance_info
    job = Job.objects.create(owner=system, operation="service_instance.update", resource_guid=row.guid)
    begin(row, Operation.Type.UPDATE, by=system, job=job, wish={"maintenance_info": offered})
    audit.record(system, "audit.service_instance.start_update", row, version=offered["version"])
