"""Bringing a revision up, and calling that off."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps.models import App, Deployment, Droplet, Process, Revision
from paas.lib.errors import InsufficientResources, Unprocessable
from paas.lib.queue import later
from tenants import quotas
from tenants.access import authorize


def machine_memory_mb() -> int:
    """What all instances together may have: the setting, or four fifths of the machine."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return settings.PAAS_MEMORY_MB or physical * 4 // 5


def check_room(app: App, more_mb: int) -> None:
    """Raise ``InsufficientResources`` if the region could not hold that much more."""
    started = Process.objects.filter(app__state=App.State.STARTED, app__space__region=app.space.region)
    used = started.aggregate(mb=Sum(F("memory_mb") * F("instances")))["mb"] or 0
    if more_mb > 0 and used + more_mb > machine_memory_mb():
        raise InsufficientResources(
            f"The platform has no room for {more_mb} MB more: {used} of {machine_memory_mb()} MB are taken. "
            "Ask for less memory or fewer instances, or tell the platform team."
        )


def size_of(app: App) -> dict[str, int]:
    """What a started app counts for in its quotas."""
    size = {"memory_mb": 0, "instances": 0, "log_rate": 0}
    for process in app.processes.all():
        size["memory_mb"] += process.memory_mb * process.instances
        size["instances"] += process.instances
        size["log_rate"] += max(process.log_rate, 0) * process.instances
    return size


def usage(app: App, state: str, previous: str) -> None:
    """Record for each process what the app consumes from now on."""
    for process in app.processes.all():
        audit.usage(
            "app",
            state,
            process,
            space=app.space,
            parent_guid=app.guid,
            parent_name=app.name,
            previous_state=previous,
            process_type=process.type,
            instances=process.instances,
            previous_instances=process.instances,
            memory_mb=process.memory_mb,
            previous_memory_mb=process.memory_mb,
        )


def snapshot(app: App, droplet: Droplet, description: str = "") -> Revision:
    """Return the revision of the app as it is now: the last one if nothing differs from it, else a new one."""
    commands = {process.type: process.command for process in app.processes.all()}
    own = {s.name: {"name": s.name, "command": s.command, "process_types": s.process_types, "memory_mb": s.memory_mb} for s in app.sidecars.all()}
    sidecars = list(({s["name"]: s for s in droplet.sidecars} | own).values())
    last = app.revisions.order_by("-version").first()
    if last and (last.droplet_id, last.environment, last.commands, last.sidecars) == (droplet.pk, app.environment, commands, sidecars):
        return last
    changes = _changes(last, droplet, app, commands, sidecars)
    app.last_version += 1
    App.objects.filter(pk=app.pk).update(last_version=app.last_version)
    return Revision.objects.create(
        app=app,
        version=app.last_version,
        droplet=droplet,
        environment=app.environment,
        commands=commands,
        sidecars=sidecars,
        description=description or changes,
    )


def _changes(last: Revision | None, droplet: Droplet, app: App, commands: dict[str, Any], sidecars: list[Any]) -> str:
    if last is None:
        return "Initial revision."
    said = []
    if last.droplet_id != droplet.pk:
        said.append("New droplet deployed.")
    if last.environment != app.environment:
        said.append("New environment variables deployed.")
    if last.commands != commands:
        said.append("Custom start command changed.")
    if last.sidecars != sidecars:
        said.append("Sidecars changed.")
    return " ".join(said)


def begin(actor: User, app: App, revision: Revision, **fields: Any) -> Deployment:
    """Write a deployment of the revision and make it the wish; the app's row is locked by the caller.

    A stopped app is started, and pays its quota now. A deployment that was still active is superseded.
    """
    app.deployments.filter(value=Deployment.Value.ACTIVE).update(
        value=Deployment.Value.FINALIZED, reason=Deployment.Reason.SUPERSEDED, status_changed_at=timezone.now()
    )
    deployment = Deployment.objects.create(
        app=app,
        revision=revision,
        droplet=revision.droplet,
        previous_droplet=app.serving.droplet if app.serving else None,
        created_by=actor,
        **fields,
    )
    if app.state == App.State.STOPPED:
        size = size_of(app)
        check_room(app, size["memory_mb"])
        quotas.take(app.space, **size)
        usage(app, App.State.STARTED, App.State.STOPPED)
    app.wish(state=App.State.STARTED, target=deployment, droplet=revision.droplet)
    later("apps.jobs.converge", app.pk)
    return deployment


@transaction.atomic
def create(
    actor: User,
    app: App,
    *,
    droplet: Droplet | None = None,
    revision: Revision | None = None,
    strategy: str = "rolling",
    options: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Deployment:
    """Deploy a droplet, an earlier revision (as a new one), or the app as it is."""
    authorize(actor, "app.push", app.space)
    app = App.objects.lock(app.pk)
    if revision:
        if revision.droplet is None or revision.droplet.state != Droplet.State.STAGED:
            raise Unprocessable("Unable to deploy this revision, the droplet for this revision no longer exists.")
        app.environment = revision.environment
        app.save(update_fields=["environment", "updated_at"])
        for process in app.processes.all():
            Process.objects.filter(pk=process.pk).update(command=revision.commands.get(process.type))
        revision = snapshot(app, revision.droplet, f"Rolled back to revision {revision.version}.")
    else:
        chosen = droplet or app.droplet
        if chosen is None or chosen.state != Droplet.State.STAGED:
            raise Unprocessable("Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.")
        adopt(app, chosen)
        revision = snapshot(app, chosen)
    deployment = begin(actor, app, revision, strategy=strategy, options=options or {}, **(metadata or {}))
    audit.record(
        actor, "audit.app.deployment.create", app, deployment_guid=deployment.guid, revision=revision.version,
        droplet_guid=revision.droplet.guid if revision.droplet else None, strategy=strategy,
    )  # fmt: skip
    return deployment


def adopt(app: App, droplet: Droplet) -> None:
    """Make the processes that the droplet brings and the app has not got yet; web runs once, others are off."""
    known = set(app.processes.values_list("type", flat=True))
    for process_type in droplet.process_types:
        if process_type not in known:
            Process.objects.create(
                app=app,
                type=process_type,
                instances=1 if process_type == "web" else 0,
                health_type="port" if process_type == "web" else "process",
                **({"guid": app.guid} if process_type == "web" else {}),
            )


@transaction.atomic
def cancel(actor: User, deployment: Deployment) -> Deployment:
    """Call an active deployment off; what served before goes on serving."""
    authorize(actor, "app.push", deployment.app.space)
    app = App.objects.lock(deployment.app_id)
    deployment = Deployment.objects.lock(deployment.pk)
    if deployment.value != Deployment.Value.ACTIVE:
        raise Unprocessable(f"Cannot cancel a {deployment.reason} deployment")
    if deployment.reason != Deployment.Reason.CANCELING:
        deployment.reason, deployment.status_changed_at = Deployment.Reason.CANCELING, timezone.now()
        deployment.save(update_fields=["reason", "status_changed_at", "updated_at"])
        audit.record(actor, "audit.app.deployment.cancel", app, deployment_guid=deployment.guid)
        app.wish()
        later("apps.jobs.converge", app.pk)
    return deployment
