"""Scaling processes, changing how they run, restarting one instance."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.actions import deployment as deployments
from apps.models import App, Instance, Process
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize, require_flag


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
    process = Process.objects.lock(process.pk)
    wanted = {"instances": instances, "memory_mb": memory_mb, "disk_mb": disk_mb, "log_rate": log_rate}
    changed = {name: value for name, value in wanted.items() if value is not None and value != getattr(process, name)}
    before = {name: getattr(process, name) for name in changed}
    if memory_mb is not None:
        quotas.check_process_memory(app.space, memory_mb)
    size = deployments.size_of(app)
    for name, value in changed.items():
        setattr(process, name, value)
    if changed:
        process.save(update_fields=[*changed, "updated_at"])
    if changed and app.state == App.State.STARTED:
        after = deployments.size_of(App.objects.get(pk=app.pk))
        deployments.check_room(app, after["memory_mb"] - size["memory_mb"])
        quotas.take(app.space, **{name: after[name] - size[name] for name in after})
        audit.usage(
            "app", App.State.STARTED, process, space=app.space, parent_guid=app.guid, parent_name=app.name,
            previous_state=App.State.STARTED, process_type=process.type, instances=process.instances,
            previous_instances=before.get("instances", process.instances), memory_mb=process.memory_mb,
            previous_memory_mb=before.get("memory_mb", process.memory_mb),
        )  # fmt: skip
    audit.record(actor, "audit.app.process.scale", app, process_type=process.type, before=before, **changed)
    app.wish()
    later("apps.jobs.converge", app.pk)
    return process


@transaction.atomic
def update(actor: User, process: Process, *, metadata: dict[str, Any] | None = None, **fields: Any) -> Process:
    """Change command, health check or metadata; it takes effect at the next start."""
    authorize(actor, "app.update", process.space)
    process = Process.objects.lock(process.pk)
    before = {name: getattr(process, name) for name in fields}
    for name, value in (fields | (merged(process, metadata) if metadata else {})).items():
        setattr(process, name, value)
    process.save(update_fields=[*fields, *(("labels", "annotations") if metadata else ()), "updated_at"])
    audit.record(actor, "audit.app.process.update", process.app, process_type=process.type, before=before, after=fields)
    return process


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
    audit.record(actor, "audit.app.process.terminate_instance", app, process_type=process.type, process_index=index)
    app.wish()
    later("apps.jobs.converge", app.pk)
