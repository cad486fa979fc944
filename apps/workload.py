"""Turns rows, environment and bindings into what crosses the runtime's seam."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.environment import PORT, routes_of, running_environment, service_files, vcap_application
from apps.models import App, Deployment, Droplet, Instance, Process, Task
from paas.seams.runtimes.base import HealthCheck, ImageRef, Placement, Sidecar, StackDroplet, Workload
from services import credentials, ways


def source_of(droplet: Droplet | None) -> StackDroplet | ImageRef:
    if droplet is None:
        raise LookupError("The droplet is gone; it was deleted while something still needed it.")
    if droplet.image:
        credentials = droplet.package.credentials if droplet.package else {}
        return ImageRef(droplet.image, credentials.get("username", ""), credentials.get("password", ""))
    return StackDroplet(droplet.stack, droplet.key, droplet.sha256)


def placement(instance: Instance, vcap: Mapping[str, Any]) -> Placement:
    address = f"{instance.address}:{PORT}"
    own = {**vcap, "instance_index": instance.index, "instance_id": instance.guid, "host": "0.0.0.0", "port": PORT}  # noqa: S104
    environment = {
        "VCAP_APPLICATION": json.dumps(own),
        "CF_INSTANCE_INDEX": str(instance.index),
        "INSTANCE_INDEX": str(instance.index),
        "CF_INSTANCE_GUID": instance.guid,
        "INSTANCE_GUID": instance.guid,
        "CF_INSTANCE_IP": instance.address,
        "CF_INSTANCE_INTERNAL_IP": instance.address,
        "CF_INSTANCE_PORT": str(PORT),
        "CF_INSTANCE_ADDR": address,
        "CF_INSTANCE_PORTS": json.dumps([{"external": PORT, "internal": PORT}]),
    }
    return Placement(instance.guid, instance.index, instance.address, instance.zone, environment)


def _health(process: Process) -> HealthCheck:
    return HealthCheck(
        type=process.health_type,  # type: ignore[arg-type]
        endpoint=process.health_endpoint or "/",
        port=PORT,
        timeout=process.health_timeout or 60,
        invocation_timeout=process.health_invocation_timeout or 1,
        interval=process.health_interval or 30,
    )


def _readiness(process: Process) -> HealthCheck:
    return HealthCheck(
        type=process.readiness_type,  # type: ignore[arg-type]
        endpoint=process.readiness_endpoint or "/",
        port=PORT,
        invocation_timeout=process.readiness_invocation_timeout or 1,
        interval=process.readiness_interval or 30,
    )


def workload_for(
    app: App, process: Process, deployment: Deployment, instances: Iterable[Instance], uris: list[str]
) -> Workload:
    """The workload of one process of one deployment, with sizes as they were when each instance was made."""
    rows = list(instances)
    memory_mb, disk_mb = (rows[0].memory_mb, rows[0].disk_mb) if rows else (process.memory_mb, process.disk_mb)
    revision = deployment.revision
    vcap = vcap_application(
        app, process_type=process.type, memory_mb=memory_mb, disk_mb=disk_mb, uris=uris, version=revision.guid
    )
    sidecars = [s for s in revision.sidecars if process.type in s["process_types"]]
    return Workload(
        app=app.guid,
        app_name=app.name,
        process_type=process.type,
        revision=revision.guid,
        log_source=f"APP/PROC/{process.type.upper()}",
        source=source_of(deployment.droplet),
        command=deployment.command(process.type),
        environment=running_environment(app, revision.environment, memory_mb=memory_mb, deployment=deployment),
        instances=tuple(placement(row, vcap) for row in rows),
        memory_mb=memory_mb,
        disk_mb=disk_mb,
        log_rate=process.log_rate,
        health=_health(process),
        readiness=_readiness(process),
        reaches=ways.to(credentials.bound_to(app)),
        files=service_files(app, deployment),
        sidecars=tuple(Sidecar(s["name"], s["command"], s.get("memory_mb")) for s in sidecars),
    )


def task_workload(task: Task, address: str) -> Workload:
    """The workload of a one-off task: the app's current environment, no port, no health check."""
    app = task.app
    vcap = vcap_application(
        app, process_type="task", memory_mb=task.memory_mb, disk_mb=task.disk_mb, uris=routes_of(app)
    )
    environment = running_environment(app, app.environment, memory_mb=task.memory_mb)
    for name in ("PORT", "VCAP_APP_PORT", "VCAP_APP_HOST"):
        environment.pop(name)
    return Workload(
        app=app.guid,
        app_name=app.name,
        process_type="task",
        revision="",
        log_source=f"APP/TASK/{task.name}",
        source=source_of(task.droplet),
        command=task.command,
        environment=environment | {"VCAP_APPLICATION": json.dumps(vcap), "CF_INSTANCE_GUID": task.guid},
        instances=(Placement(task.guid, 0, address),),
        memory_mb=task.memory_mb,
        disk_mb=task.disk_mb,
        log_rate=task.log_rate,
        reaches=ways.to(credentials.bound_to(app)),
        files=service_files(app),
        ports=(),
        health=HealthCheck(type="process"),
        one_off=True,
    )
