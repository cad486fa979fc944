"""Creating, changing, running and deleting apps."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Job, User
from apps import addresses, swaps
from apps.actions import capacity
from apps.actions import deployment as deployments
from apps.actions import task as tasks
from apps.models import App, Build, Deployment, Droplet, Process, Removal
from paas.lib.errors import Unprocessable
from paas.lib.models import new_guid
from paas.lib.queue import later
from paas.lib.text import is_storable
from paas.lib.v3.bodies import merged
from services.actions import binding as bindings
from tenants import quotas
from tenants.access import authorize
from tenants.models import Space

TOLD = ("name", "lifecycle", "buildpacks", "stack", "environment")
STARTED, STOPPED = {"state": App.State.STARTED}, {"state": App.State.STOPPED}


def check_environment(variables: dict[str, Any]) -> None:
    """Raise unless every name may be set by a team and every value is text."""
    for name, value in variables.items():
        if "=" in name or not is_storable(name):
            raise Unprocessable(f"Environment variable name {name!r} must not contain '=' or a null byte.")
        if not name or name.upper() in ("PORT",) or name.upper().startswith(("VCAP_", "CF_INSTANCE_")):
            what = "reserved" if name else "empty"
            raise Unprocessable(f"Environment variable name '{name}' is {what}; the platform sets it itself.")
        if value is not None and not isinstance(value, str):
            raise Unprocessable(
                f"Non-string value in environment variable for key '{name}'. Put the value in quotation marks."
            )
        if value and not is_storable(value):
            raise Unprocessable(f"The value of environment variable '{name}' must not contain a null byte.")


@transaction.atomic
def create(
    actor: User,
    space: Space,
    *,
    name: str,
    lifecycle: str = App.Lifecycle.BUILDPACK,
    buildpacks: list[str] | None = None,
    stack: str = "debian12",
    environment: dict[str, str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> App:
    """Write an app with its web process; nothing runs yet."""
    authorize(actor, "app.create", space)
    check_environment(environment or {})
    try:
        with transaction.atomic():
            app = App.objects.create(
                space=space,
                name=name,
                lifecycle=lifecycle,
                buildpacks=buildpacks or [],
                stack=stack,
                environment=environment or {},
                **merged(None, metadata or {}),
            )
    except IntegrityError as error:
        raise Unprocessable(f"App with the name '{name}' already exists.") from error
    Process.objects.create(app=app, guid=app.guid, type="web")
    audit.record(actor, "audit.app.create", app, after=audit.state(app, TOLD))
    return app


@transaction.atomic
def update(actor: User, app: App, *, metadata: dict[str, Any] | None = None, **fields: Any) -> App:
    """Change name, buildpacks, stack or metadata; what runs is not touched."""
    authorize(actor, "app.update", app.space)
    app = App.objects.lock(app.pk)
    before = audit.state(app, fields)
    for name, value in (fields | (merged(app, metadata) if metadata else {})).items():
        setattr(app, name, value)
    try:
        with transaction.atomic():
            app.save(update_fields=[*fields, *(("labels", "annotations") if metadata else ()), "updated_at"])
    except IntegrityError as error:
        raise Unprocessable(f"App with the name '{fields['name']}' already exists.") from error
    audit.record(actor, "audit.app.update", app, before=before, after=audit.state(app, fields))
    return app


@transaction.atomic
def set_environment(actor: User, app: App, *, variables: dict[str, str | None]) -> App:
    """Merge variables into the app's own; null removes one. It takes effect at the next start."""
    authorize(actor, "app.set_environment", app.space)
    check_environment(variables)
    app = App.objects.lock(app.pk)
    before = audit.state(app, ("environment",))
    merged_variables = {**app.environment, **variables}
    app.environment = {name: value for name, value in merged_variables.items() if value is not None}
    app.save(update_fields=["environment", "updated_at"])
    audit.record(actor, "audit.app.update", app, before=before, after=audit.state(app, ("environment",)))
    return app


@transaction.atomic
def start(actor: User, app: App) -> App:
    """Bring the current droplet up; nothing happens to an app that is started."""
    authorize(actor, "app.run", app.space)
    app = App.objects.lock(app.pk)
    if app.droplet is None:
        raise Unprocessable("Assign a droplet before starting this app.")
    if app.state == App.State.STOPPED:
        deployments.begin(actor, app, deployments.snapshot(app, app.droplet))
        audit.record(actor, "audit.app.start", app, before=STOPPED, after=STARTED)
    return app


@transaction.atomic
def stop(actor: User, app: App) -> App:
    """Let no instance run; twice is harmless."""
    authorize(actor, "app.run", app.space)
    app = App.objects.lock(app.pk)
    if app.state == App.State.STARTED:
        _end(app)
        app.wish(state=App.State.STOPPED, target=None, serving=None)
        audit.record(actor, "audit.app.stop", app, before=STARTED, after=STOPPED)
        later("apps.jobs.converge", app.pk)
    return app


def _end(app: App) -> None:
    """Give the quota back, say that nothing is consumed any more, and finish what was being deployed."""
    processes = list(app.processes.select_related("app"))
    quotas.give(app.space, **capacity.size_of(*processes))
    for process in processes:
        capacity.usage(process, App.State.STOPPED, App.State.STARTED)
    swaps.undo(app.target)
    app.deployments.filter(value=Deployment.Value.ACTIVE).update(
        value=Deployment.Value.FINALIZED, reason=Deployment.Reason.CANCELED, status_changed_at=timezone.now()
    )


@transaction.atomic
def restart(actor: User, app: App) -> App:
    """Replace every instance, beside the old ones; a stopped app is started."""
    authorize(actor, "app.run", app.space)
    app = App.objects.lock(app.pk)
    if app.droplet is None:
        raise Unprocessable("Assign a droplet before starting this app.")
    verb, before = ("restart", STARTED) if app.state == App.State.STARTED else ("start", STOPPED)
    deployments.begin(actor, app, deployments.snapshot(app, app.droplet))
    audit.record(actor, f"audit.app.{verb}", app, before=before, after=STARTED)
    return app


@transaction.atomic
def use_droplet(actor: User, app: App, *, droplet: Droplet) -> App:
    """Choose which droplet the next start runs."""
    authorize(actor, "app.deploy", app.space)
    app = App.objects.lock(app.pk)
    if droplet.app_id != app.pk or droplet.state != Droplet.State.STAGED:
        raise Unprocessable("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.")
    before = {"droplet": app.droplet.guid} if app.droplet else {}
    deployments.adopt(actor, app, droplet)
    app.droplet = droplet
    app.save(update_fields=["droplet", "updated_at"])
    audit.record(
        actor,
        "audit.app.droplet.mapped",
        app,
        droplet_guid=droplet.guid,
        before=before,
        after={"droplet": droplet.guid},
    )
    return app


@transaction.atomic
def clear_cache(actor: User, app: App) -> Job:
    """Let the next build start with an empty cache; the old one is nobody's from now on, and swept."""
    authorize(actor, "app.stage", app.space)
    app = App.objects.lock(app.pk)
    app.cache_key = f"caches/{app.guid}-{new_guid()}.tgz"
    app.save(update_fields=["cache_key", "updated_at"])
    audit.record(actor, "audit.app.clear-buildpack-cache", app)
    return Job.objects.create(
        owner=actor, operation="app.clear_buildpack_cache", state=Job.State.COMPLETE, resource_guid=app.guid
    )


@transaction.atomic
def delete(actor: User, app: App) -> Job:
    """Remove the app and everything that is only its own; routes stay. The name is free at once."""
    authorize(actor, "app.delete", app.space)
    app = App.objects.lock(app.pk)
    remove(actor, app)
    return Job.objects.create(owner=actor, operation="app.delete", state=Job.State.COMPLETE, resource_guid=app.guid)


def remove(actor: User, app: App, *, recursive: bool = False) -> None:
    """Take the rows of a locked app away and leave a ``Removal`` for what is outside."""
    unfinished = list(app.tasks.select_for_update().filter(state__in=capacity.UNFINISHED))  # as their job: task, quota
    for task in unfinished:
        tasks.ended(task, succeeded=False, reason="The app was deleted.")
    if app.state == App.State.STARTED:
        _end(app)
    services = app.service_bindings.select_for_update(of=("self",)).select_related("instance__space__organization")
    for binding in services.order_by("pk"):
        bindings.remove(actor, binding)
    builds = list(Build.objects.filter(app=app).values_list("guid", flat=True))
    keys = [
        *app.packages.exclude(key="").values_list("key", flat=True),
        *app.droplets.exclude(key="").values_list("key", flat=True),
    ]
    removal = Removal.objects.create(
        region=app.space.region,
        app_guid=app.guid,
        log_sources=[app.guid, *builds],
        blob_keys=[key for key in [*keys, app.cache_key] if key],
        due_at=timezone.now(),
    )
    audit.record(actor, "audit.app.delete-request", app, before=audit.state(app, (*TOLD, "state")), recursive=recursive)
    addresses.give_back([*app.running.values_list("guid", flat=True), *(task.guid for task in unfinished)])
    App.objects.filter(pk=app.pk).update(target=None, serving=None, droplet=None)
    app.delete()
    later("apps.jobs.remove", removal.pk)
