"""Backups of the platform's own services: taken each day and when asked for, and looked after until they may go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Job
from paas.lib.errors import PaasError
from paas.lib.queue import Lease, job, later
from services import crossing, outside
from services.brokers.engine.base import Backups
from services.jobs import proof
from services.models import Backup, Repository, ServiceInstance

EVERY, FULL_EVERY = timedelta(days=1), timedelta(days=7)
KEPT = timedelta(days=35)  # after the instance is gone
LOOK_EVERY = 300  # seconds
SOON = 30  # seconds
RETRY = 900  # seconds after a backup that failed
POLL = 2  # seconds between looks at a backup that is being taken
INSIST = timedelta(minutes=15)  # for so long one that was asked for is begun again when a restart cuts it short
CUT_SHORT = "The backup was cut short, because the server was started anew."
LOST = (
    "The backup store was away for so long that a part of the log had to be dropped. Until another backup is taken, "
    "nothing can be restored that was written since the last one."
)


def begin(instance: ServiceInstance) -> None:
    """Have the first backup taken, now that there is something to back up."""
    for repository in Repository.objects.filter(instance=instance):
        Repository.objects.filter(pk=repository.pk).update(due_at=timezone.now())
        later("services.jobs.back_up", repository.pk)


@job("services.jobs.back_up", model=Repository, queue="services")
def back_up(lease: Lease) -> None:
    joined = ("instance__plan__offering__broker", "instance__space__organization", "instance__repository", "job")
    row = Repository.objects.select_related(*joined).get(pk=lease.pk)
    if row.instance is None:
        _keep_on(lease, row)
    elif row.instance.busy:
        lease.again(SOON)
    elif row.instance.operation_type == "create" and row.instance.operation_state == "failed":
        lease.again(LOOK_EVERY)
    else:
        Work(lease, row, row.instance).run()


def _keep_on(lease: Lease, row: Repository) -> None:
    """The instance is gone: keep its backups for a while, if there are any."""
    if row.deleted_at is None and row.backups.exists():
        gone = timezone.now()
        lease.save(deleted_at=gone, until=gone + KEPT, wanted_at=None, begun_at=None)
        lease.again(KEPT.total_seconds())
    elif row.until and row.until > timezone.now():
        lease.again((row.until - timezone.now()).total_seconds())
    else:
        with lease.beating():
            outside.own_services().keeping.forget(row.guid)
        Repository.objects.filter(pk=row.pk, lease_number=lease.number).delete()


class Work:
    """One look at the backups of an instance that is there."""

    def __init__(self, lease: Lease, row: Repository, instance: ServiceInstance) -> None:
        self.lease, self.row, self.now = lease, row, timezone.now()
        self.instance = crossing.instance_for(instance)
        self.keeping = outside.own_services().keeping
        plan: Any = instance.plan
        self.current = {"name": instance.name, "disk_mb": plan.broker_metadata["disk_mb"]}

    def run(self) -> None:
        try:
            with self.lease.beating():
                look = self.keeping.look(self.instance)
        except PaasError as error:
            self._note(f"The backups could not be looked at: {error.detail}")
            self.lease.again(SOON)
            return
        self._write(look)
        if look.running:
            self.lease.again(POLL)
            return
        failed = bool(self.row.begun_at) and not self._ended(look)
        wanted = self._is_wanted()
        if failed:
            self.lease.again(SOON if wanted else RETRY)
        elif wanted or look.lost or self._is_due():
            self._begin()
        else:
            self.lease.again(LOOK_EVERY)

    def _write(self, look: Backups) -> None:
        """Have in the database what there is in the store."""
        known = set(self.row.backups.values_list("label", flat=True))
        with transaction.atomic():
            self.lease.save(looked_at=self.now, archived_at=look.archived_at, **self.current)
            self.row.backups.exclude(label__in=[each.label for each in look.taken]).delete()
            Backup.objects.bulk_create(
                Backup(
                    repository=self.row,
                    label=each.label,
                    type=Backup.Type.FULL if each.full else Backup.Type.DIFFERENTIAL,
                    begun_at=each.begun_at,
                    ended_at=each.ended_at,
                    size_bytes=each.size_bytes,
                )
                for each in look.taken
                if each.label not in known
            )
        late = f" since {look.archived_at:%Y-%m-%d %H:%M} (UTC)" if look.archived_at else ""
        fails = look.archive_fails and look.taken  # before the first backup there is no place for it yet
        lost = LOST if look.lost else ""
        self._note(look.error or (f"What is written is not put away{late}." if fails else lost))

    def _note(self, error: str) -> None:
        self.lease.save(error=error, failed_at=(self.row.failed_at or self.now) if error else None)

    def _ended(self, look: Backups) -> bool:
        """Write how the backup under way ended; return whether it did as it should."""
        begun: Any = self.row.begun_at
        done = any(each.begun_at >= begun.replace(microsecond=0) for each in look.taken)
        error = "" if done else look.error or CUT_SHORT
        asked = self.row.wanted_at
        insists = not done and look.interrupted and asked and self.now - asked < INSIST
        with transaction.atomic():
            self.lease.save(begun_at=None)
            if asked and asked <= begun and not insists:  # who asked later gets another
                self.lease.save(wanted_at=None)
                _finish(self.row.job_id, error)
            self._note(error)
            if done:
                proof.ask_for(self.row)
        return done

    def _is_wanted(self) -> bool:
        return Repository.objects.filter(pk=self.row.pk, wanted_at__isnull=False).exists()

    def _is_due(self) -> bool:
        newest = _newest(self.row)
        return newest is None or newest < self.now - EVERY

    def _begin(self) -> None:
        newest = _newest(self.row, type=Backup.Type.FULL)
        begun = timezone.now()
        try:
            self.keeping.take(self.instance, full=newest is None or newest < self.now - FULL_EVERY)
        except PaasError as error:
            self._note(f"The backup could not be begun: {error.detail}")
            self.lease.again(SOON)
            return
        self.lease.save(begun_at=begun)  # only now: one that never began has not been cut short
        self.lease.again(POLL)


def _newest(row: Repository, **only: Any) -> datetime | None:
    newest: datetime | None = (
        row.backups.filter(**only).order_by("-begun_at").values_list("begun_at", flat=True).first()
    )
    return newest


def _finish(job_pk: int | None, error: str) -> None:
    """End the job of whoever asked for the backup."""
    waiting = Job.objects.filter(pk=job_pk, state__in=(Job.State.PROCESSING, Job.State.POLLING))
    told = [{"code": 10009, "title": "CF-UnableToPerform", "detail": error}] if error else []
    state = Job.State.FAILED if error else Job.State.COMPLETE
    waiting.update(state=state, errors=told, updated_at=timezone.now())
