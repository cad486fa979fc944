"""Makes the apps of a space what a manifest wants them to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models.functions import Upper

from accounts import audit
from accounts.models import Job, User
from apps.actions import app as apps
from apps.actions import feature as features
from apps.actions import process as processes
from apps.actions import sidecar as sidecars
from apps.actions.manifest import check, routes, services
from apps.actions.manifest.wanted import WantedApp, WantedProcess, WantedSidecar
from apps.actions.push import check_buildpacks
from apps.models import App, Process
from paas.lib.errors import PaasError, Unprocessable
from tenants.access import authorize
from tenants.models import Space

OPERATION = "space.apply_manifest"


@transaction.atomic
def apply(actor: User, space: Space, *, applications: list[Any]) -> Job:
    """Create and change apps as ``applications`` (parsed, unchecked) say: all of it, or nothing.

    What is wrong with the manifest itself is raised; what then stands in its way makes the job a failed one. Where
    brokers have to be asked for bindings, the job goes on until they have answered.
    """
    authorize(actor, "app.push", space)
    wanted = check.every(applications, by=actor)
    job = Job.objects.create(owner=actor, operation=OPERATION, state=Job.State.COMPLETE, resource_guid=space.guid)
    try:
        with transaction.atomic():
            _lock(space, wanted)
            for one in wanted:
                _apply(actor, space, one, job)
    except PaasError as error:
        job.state, job.errors = Job.State.FAILED, _said(error)
    job.save()
    return job


def _lock(space: Space, wanted: Iterable[WantedApp]) -> None:
    """Lock the apps that exist before any quota, and in one order, as everybody else does."""
    names = [one.name.upper() for one in wanted]
    named = App.objects.annotate(upper=Upper("name")).filter(space=space, upper__in=names)
    list(named.order_by("pk").select_for_update().values_list("pk"))


def _apply(actor: User, space: Space, wanted: WantedApp, job: Job) -> None:
    try:
        app = App.objects.filter(space=space, name__iexact=wanted.name).first()
        app = _update(actor, app, wanted) if app else _create(actor, space, wanted)
        for name, on in sorted(wanted.features.items(), key=lambda each: each[1]):  # off before on: some exclude others
            app = features.switch(actor, app, name=name, enabled=on)
        for process in wanted.processes:
            _process(actor, app, process)
        for sidecar in wanted.sidecars:
            _sidecar(actor, app, sidecar)
        routes.apply(app, wanted, by=actor)
        if services.apply(app, wanted, by=actor, job=job):
            job.state = Job.State.PROCESSING
        audit.record(actor, "audit.app.apply_manifest", app)
    except PaasError as error:
        error.detail = _named(wanted, error.detail)
        raise


def _named(wanted: WantedApp, detail: str) -> str:
    prefix = f"For application '{wanted.name}': "
    return detail if detail.startswith(prefix) else prefix + detail


def _said(error: PaasError) -> list[dict[str, Any]]:
    return [{"code": error.code, "title": f"CF-{error.title}", "detail": error.detail}]


def _create(actor: User, space: Space, wanted: WantedApp) -> App:
    check_buildpacks(wanted.buildpacks or [], wanted.name)
    return apps.create(
        actor,
        space,
        name=wanted.name,
        lifecycle=wanted.lifecycle or App.Lifecycle.BUILDPACK,
        buildpacks=wanted.buildpacks,
        environment=wanted.environment,
        metadata=wanted.metadata,
        **({"stack": wanted.stack} if wanted.stack else {}),
    )


def _update(actor: User, app: App, wanted: WantedApp) -> App:
    if app.lifecycle == App.Lifecycle.DOCKER and wanted.buildpacks is not None:
        raise Unprocessable("Buildpacks cannot be configured for a docker lifecycle app.")
    if wanted.lifecycle not in (None, app.lifecycle):
        raise Unprocessable("Lifecycle type cannot be changed")
    asked = {"buildpacks": wanted.buildpacks, "stack": wanted.stack}
    changed: dict[str, Any] = _differing(app, {name: value for name, value in asked.items() if value is not None})
    check_buildpacks(changed.get("buildpacks", []), wanted.name)
    if changed or wanted.metadata:
        app = apps.update(actor, app, metadata=wanted.metadata, **changed)
    fresh = {name: value for name, value in wanted.environment.items() if app.environment.get(name) != value}
    return apps.set_environment(actor, app, variables={**fresh}) if fresh else app


def _process(actor: User, app: App, wanted: WantedProcess) -> None:
    process = app.processes.select_related("app__space").filter(type=wanted.type).first()
    if process is None:
        process = Process.objects.create(app=app, type=wanted.type, instances=0, health_type="process")
        audit.record(actor, "audit.app.process.create", app, process_guid=process.guid, process_type=wanted.type)
    run = _differing(process, wanted.run)
    if run:
        process = processes.update(actor, process, **run)
    size = _differing(process, wanted.size)
    if size:
        processes.scale(actor, process, **size)


def _differing(row: Any, columns: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if getattr(row, name) != value}


def _sidecar(actor: User, app: App, wanted: WantedSidecar) -> None:
    columns = {name: value for name, value in vars(wanted).items() if name != "name"}
    there = app.sidecars.select_related("app__space").filter(name=wanted.name).first()
    if there is None:
        sidecars.create(actor, app, name=wanted.name, **columns)
    elif fresh := _differing(there, columns):
        sidecars.update(actor, there, **fresh)
