"""One-off tasks."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps import addresses, outside
from apps.actions import task as tasks
from apps.jobs.converge import tasks_of
from apps.models import Instance, Task
from apps.workload import task_workload
from paas.lib.errors import InsufficientResources
from paas.lib.queue import Lease, job

POLL = 0.5


@job("apps.jobs.run_task", model=Task)
def run_task(lease: Lease) -> None:
    task: Task = Task.objects.select_related("app__space__organization", "droplet").get(pk=lease.pk)
    if task.state in (Task.State.SUCCEEDED, Task.State.FAILED):
        return
    runtime = outside.runtime()
    if task.state == Task.State.CANCELING:
        end(lease, task, False, "Task was cancelled")
        return
    with transaction.atomic():
        address = addresses.take(task.app.space.region, task.guid)
    try:
        runtime.apply(task_workload(task, address))
    except InsufficientResources as error:
        end(lease, task, False, error.detail)
        return
    pending = Task.objects.filter(pk=task.pk, lease_number=lease.number, state=Task.State.PENDING)
    pending.update(state=Task.State.RUNNING, updated_at=timezone.now())  # one that was cancelled meanwhile stays so
    found = [o for o in runtime.observe([task.app.guid]) if o.instance == task.guid]
    if found and found[0].exit and found[0].state in ("crashed", "stopped"):
        status = found[0].exit.status
        reason = f"{found[0].exit.reason}, exit status {status}".capitalize()
        end(lease, task, status == 0, "" if status == 0 else reason)
        return
    lease.again(POLL)


def end(lease: Lease, task: Task, succeeded: bool, reason: str) -> None:
    """Write how the task ended, then take its container away."""
    with transaction.atomic():
        lease.save(
            state=Task.State.SUCCEEDED if succeeded else Task.State.FAILED,
            failure_reason=reason,
            updated_at=timezone.now(),
        )
        tasks.ended(task, succeeded=succeeded, reason=reason)
    keep = set(Instance.objects.filter(app=task.app).values_list("guid", flat=True)) | tasks_of(task.app)
    outside.runtime().prune(task.app.guid, keep)
    addresses.give_back([task.guid])
