"""Bringing a revision up, and calling that off."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps import swaps
from apps.actions import capacity
from apps.models import App, Deployment, Droplet, Process, Revision, Sidecar
from paas.lib.errors import Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize
from tenants.flags import require_flag

# What a deployment may change of the web process: the option's name -> the process's column
SIZES = {
    "web_instances": "instances",
    "memory_in_mb": "memory_mb",
    "disk_in_mb": "disk_mb",
    "log_rate_limit_in_bytes_per_second": "log_rate",
}


def snapshot(app: App, droplet: Droplet, description: str = "") -> Revision:
    """Return the revision of the app as it is now: the last one if nothing differs from it, else a new one."""
    commands = {process.type: process.command for process in app.processes.all()}
    sidecars = list(app.sidecars.values("name", "command", "process_types", "memory_mb"))
    last = app.revisions.order_by("-version").first()
    if last and (last.droplet_id, last.environment, last.commands, last.sidecars) == (
        droplet.pk,
        app.environment,
        commands,
        sidecars,
    ):
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

    A stopped app is started, and pays its quota now. A deployment that was still active is superseded; what it was to
    swap is swapped by this one.
    """
    fields["options"] = swaps.carried(app) | fields.get("options", {})
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
    check_command(app, deployment)
    if app.state == App.State.STOPPED:
        processes = list(app.processes.select_related("app"))
        size = capacity.size_of(*processes)
        capacity.check_instances(app.space, *processes)
        quotas.take(app.space, **size)
        capacity.check_room(app, size["memory_mb"])
        for process in processes:
            capacity.usage(process, App.State.STARTED, App.State.STOPPED)
    app.wish(state=App.State.STARTED, target=deployment, droplet=revision.droplet)
    later("apps.jobs.converge", app.pk)
    return deployment


def check_command(app: App, deployment: Deployment) -> None:
    """Refuse a web process that is to run and of which nobody says how."""
    image = deployment.droplet and deployment.droplet.image
    if image or deployment.command("web") or not app.processes.filter(type="web", instances__gt=0).exists():
        return
    raise Unprocessable(
        "The app has no start command: neither the droplet nor the app names one for the process web. "
        "Push with a Procfile that has a line like `web: python app.py`, or with a command (cf push -c); "
        "an app without a web process takes 0 instances of it (cf scale -i 0)."
    )


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
    """Deploy a droplet, an earlier revision (as a new one), or the app as it is.

    ``options`` are the API's: those in ``SIZES`` give the web process another size in the same go.
    """
    authorize(actor, "app.deploy", app.space)
    app = App.objects.lock(app.pk)
    before = _setup(app)
    _resize(actor, app, options or {})
    if revision:
        revision = _return_to(actor, app, revision)
    else:
        chosen = droplet or app.droplet
        if chosen is None or chosen.state != Droplet.State.STAGED:
            raise Unprocessable(
                "Invalid droplet. Please specify a droplet in the request or set a current droplet for the app."
            )
        adopt(actor, app, chosen)
        revision = snapshot(app, chosen)
    deployment = begin(actor, app, revision, strategy=strategy, options=options or {}, **merged(None, metadata or {}))
    audit.record(
        actor, "audit.app.deployment.create", app, deployment_guid=deployment.guid, revision=revision.version,
        droplet_guid=revision.droplet.guid if revision.droplet else None, strategy=strategy, before=before,
        after=_setup(app),
    )  # fmt: skip
    return deployment


def _resize(actor: User, app: App, options: dict[str, Any]) -> None:
    wanted = {column: options[name] for name, column in SIZES.items() if options.get(name) is not None}
    if not wanted:
        return
    require_flag("app_scaling", actor)
    web = Process.objects.select_related("app").get(app=app, type="web")
    before, after = capacity.resize(app, web, wanted)
    audit.record(
        actor, "audit.app.process.scale", app, process_guid=web.guid, process_type=web.type, before=before, after=after
    )


def _setup(app: App) -> dict[str, Any]:
    """What a deployment may change of an app, beside the size of its processes."""
    return {
        "droplet": app.droplet.guid if app.droplet else None,
        "environment": app.environment,
        "commands": {process.type: process.command for process in app.processes.all()},
        "sidecars": sorted(app.sidecars.values_list("name", flat=True)),
    }


def _return_to(actor: User, app: App, revision: Revision) -> Revision:
    """Make the app what it was at the revision, and return the new revision that says so."""
    if not app.revisions_enabled:
        raise Unprocessable("Cannot create deployment from a revision for an app without revisions enabled")
    droplet = revision.droplet
    if droplet is None or droplet.state != Droplet.State.STAGED:
        raise Unprocessable("Unable to deploy this revision, the droplet for this revision no longer exists.")
    app.environment = revision.environment
    app.save(update_fields=["environment", "updated_at"])
    adopt(actor, app, droplet)
    for process in app.processes.all():
        Process.objects.filter(pk=process.pk).update(command=revision.commands.get(process.type))
    app.sidecars.all().delete()
    brought = [each["name"] for each in droplet.sidecars]
    Sidecar.objects.bulk_create(
        Sidecar(app=app, origin="buildpack" if each["name"] in brought else "user", **each)
        for each in revision.sidecars
    )
    return snapshot(app, droplet, f"Rolled back to revision {revision.version}.")


def adopt(actor: User, app: App, droplet: Droplet) -> None:
    """Make the processes that the droplet brings and the app has not got yet; web runs once, others are off.

    Of sidecars those that an earlier droplet brought make way for this one's; the team's own stay.
    """
    app.sidecars.filter(origin="buildpack").delete()
    own = set(app.sidecars.values_list("name", flat=True))
    for brought in droplet.sidecars:
        if brought["name"] not in own:
            Sidecar.objects.create(app=app, origin="buildpack", **brought)
    known = set(app.processes.values_list("type", flat=True))
    for process_type in droplet.process_types:
        if process_type not in known:
            made = Process.objects.create(
                app=app,
                type=process_type,
                instances=1 if process_type == "web" else 0,
                health_type="port" if process_type == "web" else "process",
                **({"guid": app.guid} if process_type == "web" else {}),
            )
            audit.record(
                actor, "audit.app.process.create", app, process_guid=made.guid, process_type=made.type,
                after=audit.state(made, ("instances",)),
            )  # fmt: skip


@transaction.atomic
def cancel(actor: User, deployment: Deployment) -> Deployment:
    """Call an active deployment off; what served before goes on serving."""
    authorize(actor, "app.deploy", deployment.app.space)
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


@transaction.atomic
def proceed(actor: User, deployment: Deployment) -> NoReturn:
    """Go on with a deployment that is paused; rolling and recreating ones never pause, so there is none."""
    authorize(actor, "app.deploy", deployment.app.space)
    raise Unprocessable(
        f"Cannot continue a deployment with status: {deployment.value} and reason: {deployment.reason}. "
        "Only canary deployments pause, and this platform does not make them."
    )
