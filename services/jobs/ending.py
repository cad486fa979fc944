"""What else changes when an operation ends: the job that a client polls, and those who wait for it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Job
from paas.lib.queue import later
from services.models import Binding, Operation, ServiceInstance
from tenants.models import Space

BUSY = (Operation.State.INITIAL, Operation.State.IN_PROGRESS)
VERBS = {
    (ServiceInstance, "create"): "provision", (ServiceInstance, "update"): "update",
    (ServiceInstance, "delete"): "deprovision", (Binding, "create"): "bind", (Binding, "delete"): "unbind",
}  # fmt: skip


def polling(row: Any) -> None:
    """The broker works on it: whoever does not want to wait need not."""
    Job.objects.filter(pk=row.job_id, state=Job.State.PROCESSING).update(
        state=Job.State.POLLING, updated_at=timezone.now()
    )


def finished(row: Any, *, error: str = "") -> None:
    """End the row's job, unless it waits for other bindings too, and wake what waits: a deletion, bindings of a new instance."""
    if isinstance(row, Binding):
        _wake(row.instance_id)
    else:
        _wake_bindings(row)
    if row.job_id is None:
        return
    job = Job.objects.lock(row.job_id)
    if error:
        job.errors = [*job.errors, _said(row, error)]
    if not Binding.objects.filter(job=job, operation_state__in=BUSY).exclude(guid=row.guid).exists():
        job.state = Job.State.FAILED if job.errors else Job.State.COMPLETE
    job.save(update_fields=["errors", "state", "updated_at"])


def _said(row: Any, error: str) -> dict[str, Any]:
    detail = f"{VERBS[type(row), row.operation_type]} could not be completed: {error}"
    if isinstance(row, Binding) and row.app and row.job.operation == "space.apply_manifest":
        detail = f"For application '{row.app.name}': {row.instance.name}: {detail}"
    return {"code": 10009, "title": "CF-UnableToPerform", "detail": detail}


def _wake(instance_pk: int) -> None:
    waiting = ServiceInstance.objects.filter(pk=instance_pk, due_at__isnull=False)
    if waiting.update(due_at=timezone.now()):
        later("services.jobs.work_on_instance", instance_pk)


def _wake_bindings(instance: ServiceInstance) -> None:
    waiting = Binding.objects.filter(
        instance=instance, operation_type="create", operation_state=Operation.State.INITIAL
    )
    for binding in waiting.filter(due_at__isnull=False):
        Binding.objects.filter(pk=binding.pk).update(due_at=timezone.now())
        later("services.jobs.work_on_binding", binding.pk)


def stuck(row: Any) -> None:
    """The broker does not let go: whoever waits for a space to be deleted is told."""
    if isinstance(row, ServiceInstance):
        _go_on(row)


def left(row: Any) -> None:
    """The broker has let go of what nobody saw any more: whatever waits for that goes on."""
    if isinstance(row, Binding):
        _wake(row.instance_id)
    else:
        _go_on(row)


def _go_on(instance: ServiceInstance) -> None:
    if Space.objects.filter(pk=instance.space_id, deleting_at__isnull=False).update(due_at=timezone.now()):
        later("apps.jobs.delete_space", instance.space_id)
