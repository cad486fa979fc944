"""Running one-off tasks and calling them off."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps.actions import capacity
from apps.models import App, Droplet, Process, Task
from paas.lib.errors import Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize
from tenants.flags import require_flag

MEMORY_MB, DISK_MB = 1024, 1024


@transaction.atomic
def create(
    actor: User,
    app: App,
    *,
    command: str | None = None,
    template: Process | None = None,
    droplet: Droplet | None = None,
    name: str | None = None,
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    log_rate: int | None = None,
    metadata: dict[str, Any] | None = None,
) -> Task:
    """Run a command once, beside the app; what is not given is the template process's, or the usual."""
    authorize(actor, "task.run", app.space)
    require_flag("task_creation", actor)
    app = App.objects.lock(app.pk)
    chosen = droplet or app.droplet
    if chosen is None or chosen.state != Droplet.State.STAGED:
        raise Unprocessable("Task must have a droplet. Specify droplet or assign current droplet to app.")
    memory = memory_mb or (template.memory_mb if template else MEMORY_MB)
    rate = log_rate if log_rate is not None else template.log_rate if template else -1
    quotas.check_process_memory(app.space, memory, of_task=True)
    quotas.check_log_rate(app.space, rate)
    quotas.check_tasks(app.space, app.tasks.filter(state__in=capacity.UNFINISHED).count())
    quotas.take_for_task(app.space, memory_mb=memory, log_rate=max(rate, 0))
    capacity.check_room(app, memory)
    app.last_task += 1
    App.objects.filter(pk=app.pk).update(last_task=app.last_task)
    task = Task.objects.create(
        app=app,
        droplet=chosen,
        sequence_id=app.last_task,
        name=name or secrets.token_hex(4),
        command=command or _command_of(template, chosen),
        memory_mb=memory,
        disk_mb=disk_mb or (template.disk_mb if template else DISK_MB),
        log_rate=rate,
        due_at=timezone.now(),
        **merged(None, metadata or {}),
    )
    audit.record(
        actor, "audit.app.task.create", app, task_guid=task.guid, task_name=task.name, droplet_guid=chosen.guid,
        after=audit.state(task, ("name", "command", "memory_mb", "disk_mb", "log_rate")),
    )  # fmt: skip
    _usage(task, "TASK_STARTED")
    later("apps.jobs.run_task", task.pk)
    return task


def _command_of(template: Process | None, droplet: Droplet) -> str:
    command = template.command or droplet.process_types.get(template.type) if template else None
    if not command:
        raise Unprocessable("The task has no command: give one, or name a process that has one as its template.")
    return str(command)


@transaction.atomic
def cancel(actor: User, task: Task) -> Task:
    """Ask the task to end; asking twice is harmless, and one that has ended cannot be cancelled."""
    authorize(actor, "task.cancel", task.app.space)
    task = Task.objects.lock(task.pk)
    if task.state in (Task.State.SUCCEEDED, Task.State.FAILED):
        raise Unprocessable(f"Task state is {task.state} and therefore cannot be canceled")
    if task.state != Task.State.CANCELING:
        task.state, task.due_at = Task.State.CANCELING, timezone.now()
        task.save(update_fields=["state", "due_at", "updated_at"])
        audit.record(actor, "audit.app.task.cancel", task.app, task_guid=task.guid, task_name=task.name)
        later("apps.jobs.run_task", task.pk)
    return task


def ended(task: Task, *, succeeded: bool, reason: str) -> None:
    """Give back, in the transaction that writes the end, what the task had taken, and record how it ended."""
    quotas.give(task.app.space, memory_mb=task.memory_mb, log_rate=max(task.log_rate, 0))
    audit.record(
        User.objects.system(), "audit.app.task.end", task.app, task_guid=task.guid, task_name=task.name,
        state=Task.State.SUCCEEDED if succeeded else Task.State.FAILED, reason=reason,
    )  # fmt: skip
    _usage(task, "TASK_STOPPED")


def _usage(task: Task, state: str) -> None:
    audit.usage(
        "task",
        state,
        task,
        space=task.app.space,
        parent_guid=task.app.guid,
        parent_name=task.app.name,
        instances=1,
        memory_mb=task.memory_mb,
    )
