"""Scaling processes, changing how they run, restarting one instance."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.actions import capacity
from apps.actions import deployment as deployments
from apps.models import App, Instance, Process
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants.access import authorize
from tenants.flags import require_flag


@transaction.atomic
def scale(
    actor: User,
    process: Process,
    *,
    instances: int | None = None,
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    log_rate: int | None = None,
) -> Process:
    """Set how many instances there are, and how large the next ones will be (running ones keep their size)."""
    authorize(actor, "app.scale", process.space)
    require_flag("app_scaling", actor)
    app = App.objects.lock(process.app_id)
    process = Process.objects.select_related("app").lock(process.pk)
    wanted = {"instances": instances, "memory_mb": memory_mb, "disk_mb": disk_mb, "log_rate": log_rate}
    before, after = capacity.resize(app, process, wanted)
    if app.state == App.State.STARTED and app.target:
        deployments.check_command(app, app.target)
    audit.record(actor, "audit.app.process.scale", app, **named(process), before=before, after=after)
    app.wish()
    later("apps.jobs.converge", app.pk)
    return process


@transaction.atomic
def update(actor: User, process: Process, *, metadata: dict[str, Any] | None = None, **fields: Any) -> Process:
    """Change command, health check or metadata; it takes effect at the next start."""
    authorize(actor, "process.update", process.space)
    process = Process.objects.lock(process.pk)
    before = audit.state(process, fields)
    for name, value in (fields | (merged(process, metadata) if metadata else {})).items():
        setattr(process, name, value)
    process.save(update_fields=[*fields, *(("labels", "annotations") if metadata else ()), "updated_at"])
    audit.record(
        actor, "audit.app.process.update", process.app, **named(process), before=before,
        after=audit.state(process, fields),
    )  # fmt: skip
    return process


def named(process: Process) -> dict[str, Any]:
    """How the record of something about a process says which."""
    return {"process_guid": process.guid, "process_type": process.type}


@transaction.atomic
def restart_instance(actor: User, process: Process, *, index: int) -> None:
    """End one instance; the platform starts it again at once."""
    authorize(actor, "app.run", process.space)
    app = App.objects.lock(process.app_id)
    if app.state != App.State.STARTED:
        raise Unprocessable("The app is stopped; start it first.")
    if index >= process.instances:
        raise NotFound("Instance not found")
    current = app.target or app.serving
    Instance.objects.filter(app=app, deployment=current, process_type=process.type, index=index).update(
        state="stopping", ready=False, details="restart asked for"
    )
    audit.record(actor, "audit.app.process.terminate_instance", app, **named(process), process_index=index)
    app.wish()
    later("apps.jobs.converge", app.pk)
