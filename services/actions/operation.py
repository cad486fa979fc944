"""Writes the intent of an operation, before anybody is asked to carry it out; one at a time."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Job, User
from paas.lib.errors import PaasError
from paas.lib.queue import later
from services.models import Binding, Operation, ServiceInstance


class OperationUnderWay(PaasError):
    status, code, title = 409, 60016, "AsyncServiceInstanceOperationInProgress"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"An operation for service instance {name} is in progress. Wait until it has ended; cf service {name} shows it."
        )


def begin(
    row: ServiceInstance | Binding, type: str, *, by: User, job: Job | None = None, wish: dict[str, Any] | None = None
) -> None:
    """Save the intent on a locked (or new) row and have its job run."""
    now = timezone.now()
    row.operation_type, row.operation_state, row.operation_description = type, Operation.State.INITIAL, ""
    row.operation_created_at = row.operation_updated_at = row.due_at = now
    row.operation_key, row.deadline, row.wish, row.job, row.asked_by = "", None, wish, job, by
    row.save()
    what = "instance" if isinstance(row, ServiceInstance) else "binding"
    later(f"services.jobs.work_on_{what}", row.pk)


def give_up(row: ServiceInstance | Binding) -> None:
    """Fail the job of an operation that is under way, because another one takes its place."""
    error = {"code": 10009, "title": "CF-UnableToPerform", "detail": "It was deleted before it was ready."}
    unfinished = Job.objects.filter(pk=row.job_id, state__in=(Job.State.PROCESSING, Job.State.POLLING))
    unfinished.update(state=Job.State.FAILED, errors=[error], updated_at=timezone.now())


def abandon(row: ServiceInstance | Binding, *, by: User, wish: dict[str, Any] | None = None) -> None:
    """Let the row vanish for everybody at once; its job goes on until the broker has let go of what it stands for."""
    row.removed_at = timezone.now()
    if isinstance(row, Binding):
        row.app = None
    begin(row, Operation.Type.DELETE, by=by, wish=wish)


def ended(row: ServiceInstance | Binding, type: str, *, by: User) -> None:
    """Note on the row, which is saved by the caller, that an operation for which nobody has to be asked is done."""
    now = timezone.now()
    row.operation_type, row.operation_state, row.operation_description = type, Operation.State.SUCCEEDED, ""
    row.operation_created_at = row.operation_updated_at = now
    row.asked_by = by


def check_free(instance: ServiceInstance) -> None:
    """Raise ``OperationUnderWay`` while the broker is at work on the instance or one of its bindings."""
    if instance.busy or Binding.objects.filter(instance=instance, operation_state__in=BUSY, removed_at=None).exists():
        raise OperationUnderWay(instance.name)


BUSY = (Operation.State.INITIAL, Operation.State.IN_PROGRESS)
