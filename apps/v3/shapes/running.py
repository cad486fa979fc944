"""How apps, processes, sidecars, revisions, deployments and tasks look in the v3 API."""

from __future__ import annotations

from typing import Any

from apps.models import App, Deployment, Process, Revision, Sidecar, Task
from paas.lib.text import public
from paas.lib.v3 import base, link, metadata, stamp, to_one

HIDDEN = "[PRIVATE DATA HIDDEN]"
HIDDEN_IN_LISTS = "[PRIVATE DATA HIDDEN IN LISTS]"


def lifecycle(kind: str, buildpacks: list[str], stack: str) -> dict[str, Any]:
    """``{"type": ..., "data": ...}`` of an app or a build; an image has no data.

    A buildpack's address may carry a password, and an app is seen by those who see no secrets.
    """
    data = {"buildpacks": [public(name) for name in buildpacks], "stack": stack}
    return {"type": kind, "data": data if kind == "buildpack" else {}}


def app(request: Any, row: App) -> dict[str, Any]:
    """Wants ``space`` and ``droplet`` joined."""
    here = f"/v3/apps/{row.guid}"
    return base(
        row,
        name=row.name,
        state=row.state,
        lifecycle=lifecycle(row.lifecycle, row.buildpacks, row.stack),
        relationships={
            "space": to_one(row.space.guid),
            "current_droplet": to_one(row.droplet.guid if row.droplet else None),
        },
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "environment_variables": link(request, f"{here}/environment_variables"),
            "space": link(request, f"/v3/spaces/{row.space.guid}"),
            "processes": link(request, f"{here}/processes"),
            "packages": link(request, f"{here}/packages"),
            "current_droplet": link(request, f"{here}/droplets/current"),
            "droplets": link(request, f"{here}/droplets"),
            "tasks": link(request, f"{here}/tasks"),
            "start": link(request, f"{here}/actions/start", "POST"),
            "stop": link(request, f"{here}/actions/stop", "POST"),
            "clear_buildpack_cache": link(request, f"{here}/actions/clear_buildpack_cache", "POST"),
            "revisions": link(request, f"{here}/revisions"),
            "deployed_revisions": link(request, f"{here}/revisions/deployed"),
            "features": link(request, f"{here}/features"),
        },
    )


def _check(kind: str, **data: Any) -> dict[str, Any]:
    """A health check; the endpoint only means something to an HTTP one."""
    if kind != "http":
        data.pop("endpoint")
    if kind == "process":
        data = {name: data[name] for name in data if name == "timeout"}
    return {"type": kind, "data": data}


def process(request: Any, row: Process, *, hidden: str = "") -> dict[str, Any]:
    """Wants ``app__space``, ``app__droplet`` and ``app__target__revision`` joined.

    The command is the one asked for, else the droplet's; ``hidden`` stands in for it, as it may hold secrets.
    """
    here = f"/v3/processes/{row.guid}"
    command = row.command or (row.app.droplet.process_types.get(row.type) if row.app.droplet else None)
    revision = row.app.target.revision.guid if row.app.target else None
    return base(
        row,
        type=row.type,
        command=hidden if hidden and command is not None else command,
        user="vcap",
        instances=row.instances,
        memory_in_mb=row.memory_mb,
        disk_in_mb=row.disk_mb,
        log_rate_limit_in_bytes_per_second=row.log_rate,
        health_check=_check(
            row.health_type,
            timeout=row.health_timeout,
            invocation_timeout=row.health_invocation_timeout,
            interval=row.health_interval,
            endpoint=row.health_endpoint or "/",
        ),
        readiness_health_check=_check(
            row.readiness_type,
            invocation_timeout=row.readiness_invocation_timeout,
            interval=row.readiness_interval,
            endpoint=row.readiness_endpoint or "/",
        ),
        version=revision or row.guid,
        relationships={"app": to_one(row.app.guid), "revision": to_one(revision) if revision else None},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "scale": link(request, f"{here}/actions/scale", "POST"),
            "app": link(request, f"/v3/apps/{row.app.guid}"),
            "space": link(request, f"/v3/spaces/{row.app.space.guid}"),
            "stats": link(request, f"{here}/stats"),
            "process_instances": link(request, f"{here}/process_instances"),
        },
    )


def sidecar(request: Any, row: Sidecar, *, hidden: str = "") -> dict[str, Any]:
    """Wants ``app`` joined; ``hidden`` stands in for the command."""
    return base(
        row,
        name=row.name,
        command=hidden or row.command,
        process_types=row.process_types,
        memory_in_mb=row.memory_mb,
        origin=row.origin,
        relationships={"app": to_one(row.app.guid)},
    )


def revision(request: Any, row: Revision, deployable: bool, *, hidden: str = "") -> dict[str, Any]:
    """Wants ``app`` and ``droplet`` joined; ``hidden`` stands in for each command that was asked for."""
    here = f"/v3/revisions/{row.guid}"
    types = row.droplet.process_types if row.droplet else {}
    commands = {name: hidden if hidden and command else command for name, command in row.commands.items()}
    return base(
        row,
        version=row.version,
        description=row.description,
        deployable=deployable,
        droplet={"guid": row.droplet.guid if row.droplet else None},
        processes={name: {"command": commands.get(name)} for name in sorted({*commands, *types})},
        sidecars=[
            {
                "name": s["name"],
                "command": hidden or s["command"],
                "process_types": s["process_types"],
                "memory_in_mb": s.get("memory_mb"),
            }
            for s in row.sidecars
        ],
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "app": link(request, f"/v3/apps/{row.app.guid}"),
            "environment_variables": link(request, f"{here}/environment_variables"),
        },
    )


def deployment(request: Any, row: Deployment) -> dict[str, Any]:
    """Wants ``app``, ``revision``, ``droplet``, ``previous_droplet`` joined and ``app__processes`` prefetched."""
    here = f"/v3/deployments/{row.guid}"
    details = {
        "last_successful_healthcheck": stamp(row.healthy_at or row.created_at),
        "last_status_change": stamp(row.status_changed_at),
    }
    links = {"self": link(request, here), "app": link(request, f"/v3/apps/{row.app.guid}")}
    if row.value == Deployment.Value.ACTIVE:
        links["cancel"] = link(request, f"{here}/actions/cancel", "POST")
    return base(
        row,
        state=row.reason,
        status={
            "value": row.value,
            "reason": row.reason,
            "details": details | ({"error": row.error} if row.error else {}),
        },
        strategy=row.strategy,
        options={"max_in_flight": 1} | {name: value for name, value in row.options.items() if value is not None},
        droplet={"guid": row.droplet.guid if row.droplet else None},
        previous_droplet={"guid": row.previous_droplet.guid if row.previous_droplet else None},
        new_processes=[{"guid": process.guid, "type": process.type} for process in row.app.processes.all()],
        revision={"guid": row.revision.guid, "version": row.revision.version},
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links=links,
    )


def task(request: Any, row: Task, *, hidden: str = "") -> dict[str, Any]:
    """Wants ``app__space`` and ``droplet`` joined; ``hidden`` stands in for the command."""
    here = f"/v3/tasks/{row.guid}"
    return base(
        row,
        sequence_id=row.sequence_id,
        name=row.name,
        command=hidden or row.command,
        user="vcap",
        state=row.state,
        memory_in_mb=row.memory_mb,
        disk_in_mb=row.disk_mb,
        log_rate_limit_in_bytes_per_second=row.log_rate,
        result={"failure_reason": row.failure_reason or None},
        droplet_guid=row.droplet.guid if row.droplet else None,
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "app": link(request, f"/v3/apps/{row.app.guid}"),
            "cancel": link(request, f"{here}/actions/cancel", "POST"),
        }
        | ({"droplet": link(request, f"/v3/droplets/{row.droplet.guid}")} if row.droplet else {}),
    )
