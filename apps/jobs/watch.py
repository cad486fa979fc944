"""Looks at what runs in a region every second, writes down what changed, and mends what is missing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps import outside, routing
from apps.jobs.look import look, note
from apps.models import App, Instance
from paas.lib.queue import Lease, hint, job
from paas.seams.runtimes.base import Happening, LogLine
from tenants.models import Region

EVERY = 1.0  # seconds


@job("apps.jobs.watch", model=Region)
def watch(lease: Lease) -> None:
    region: Region = lease.row
    lease.again(EVERY)
    made = look()
    rows = list(
        Instance.objects.filter(app__space__region=region)
        .exclude(state="stopping")
        .exclude(deployment__failed_at__isnull=False)
    )
    states = {row.guid: row.state for row in rows}
    if note(rows, made):
        routing.publish()
    lost = {
        row.app_id for row in rows if row.state == "unknown" or (row.state != states[row.guid] and not row.ever_ready)
    }
    _wake(lost | _recovered())
    for happening in outside.runtime().happenings(region.happenings_seen):
        record(happening)
        lease.save(happenings_seen=happening.number)
    lease.save(watched_at=timezone.now())


def _recovered() -> set[int]:
    """Apps whose only version failed at first and is ready now."""
    late = App.objects.filter(
        Q(serving=None) & Q(state=App.State.STARTED), target__value="FINALIZED", running__ready=True
    )
    return set(late.values_list("pk", flat=True))


def _wake(pks: set[int]) -> None:
    if not pks:
        return
    App.objects.filter(pk__in=pks, due_at=None).update(due_at=timezone.now())
    for pk in pks:
        hint("apps.jobs.converge", pk)


@transaction.atomic
def record(happening: Happening) -> None:
    """Write the crash where people look for it: the audit events and the log."""
    app = App.objects.filter(guid=happening.app).select_related("space__organization").first()
    row = Instance.objects.filter(guid=happening.instance).first()
    if app is None or row is None or row.state == "stopping":
        return
    end = happening.exit
    audit.record(
        User.objects.system(), "app.crash", app, index=happening.index, instance=happening.instance, reason="CRASHED",
        cell_id="", exit_status=end.status, exit_description=end.reason, process_type=happening.process_type,
        last_lines=list(end.last_lines[-20:]),
    )  # fmt: skip
    text = f"Instance {happening.index} of {happening.process_type} ended: {end.reason}, exit status {end.status}"
    outside.runtime().write_log(app.guid, [LogLine(0, "CELL", str(happening.index), "ERR", text)])
