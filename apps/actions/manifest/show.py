"""Shows an app as the manifest that would make it again."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.actions.environment import show_variables
from apps.actions.manifest import units
from apps.models import App, Process, Sidecar
from services import credentials
from tenants.access import authorize


@transaction.atomic
def show(actor: User, app: App) -> dict[str, Any]:
    """Return the app's entry in a manifest, its variables with their values; the reading is recorded."""
    authorize(actor, "app.see_secrets", app.space)
    audit.record(actor, "audit.app.manifest.show", app)
    return entry(app, environment=show_variables(actor, app))


def entry(app: App, *, environment: dict[str, str]) -> dict[str, Any]:
    """What a manifest says of the app as it is; what is empty is left out."""
    found: dict[str, Any] = {"name": app.name, "lifecycle": app.lifecycle, **_built(app)}
    optional = {
        "env": environment,
        "metadata": {name: pairs for name in ("labels", "annotations") if (pairs := getattr(app, name))},
        "processes": [_process(row) for row in app.processes.order_by("type")],
        "routes": [_route(row.route) for row in app.destinations.select_related("route__domain").order_by("id")],
        "services": _services(app),
        "sidecars": [_sidecar(row) for row in app.sidecars.order_by("name")],
    }
    found["features"] = {"revisions": app.revisions_enabled} | ({app.service_files: True} if app.service_files else {})
    return found | {name: value for name, value in optional.items() if value}


def _built(app: App) -> dict[str, Any]:
    if app.lifecycle == App.Lifecycle.DOCKER:
        package = app.packages.order_by("-created_at").first()
        return {"docker": {"image": package.image}} if package else {}
    return {"stack": app.stack} | ({"buildpacks": app.buildpacks} if app.buildpacks else {})


def _process(row: Process) -> dict[str, Any]:
    found = {
        "type": row.type,
        "instances": row.instances,
        "memory": f"{row.memory_mb}M",
        "disk_quota": f"{row.disk_mb}M",
        "log-rate-limit-per-second": units.written(row.log_rate),
        "command": row.command,
        "timeout": row.health_timeout,
        "health-check-type": row.health_type,
        "health-check-http-endpoint": row.health_endpoint if row.health_type == "http" else None,
        "health-check-invocation-timeout": row.health_invocation_timeout,
        "health-check-interval": row.health_interval,
        "readiness-health-check-type": row.readiness_type,
        "readiness-health-check-http-endpoint": row.readiness_endpoint if row.readiness_type == "http" else None,
        "readiness-health-check-invocation-timeout": row.readiness_invocation_timeout,
        "readiness-health-check-interval": row.readiness_interval,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _services(app: App) -> list[Any]:
    """By name; with the binding's own, where it has one. Parameters may hold secrets, and are not shown."""
    rows = credentials.bound_to(app)
    return [{"name": r.instance.name, "binding_name": r.name} if r.name else r.instance.name for r in rows]


def _route(row: Any) -> dict[str, Any]:
    return {"route": f"{row.fqdn}{row.path}", "protocol": "http1"} | ({"options": row.options} if row.options else {})


def _sidecar(row: Sidecar) -> dict[str, Any]:
    found: dict[str, Any] = {"name": row.name, "process_types": row.process_types, "command": row.command}
    return found | ({"memory": f"{row.memory_mb}M"} if row.memory_mb else {})
