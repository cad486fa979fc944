"""Turns a plan, a kind of server and a place into what the runtime runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from paas.seams.runtimes.authority import Issued
from paas.seams.runtimes.base import HealthCheck, ImageRef, Placement, Volume, Workload

from .base import BackedUp, Json, Server, Site
from .depot import Depot
from .plans import Plan, Service

RESTORE = "restore"  # the process type of such a task
GIVE_UP = 3600  # seconds of starting or recovering, after which a server is started anew
SCRATCH_MB = 16


def workload(
    service: Service,
    plan: Plan,
    server: Server,
    site: Site,
    *,
    name: str,
    revision: str,
    image: str,
    parameters: Json,
    issued: Issued,
) -> Workload:
    """The one container of an instance; its names follow from the guid, so that it is never made twice."""
    depot, path = (site.depot, server.store) if isinstance(server, BackedUp) else (None, "")
    given = server.files(site, parameters) | (depot.files() if depot else {})
    return Workload(
        app=site.guid,
        app_name=name,
        process_type=service.name,
        revision=revision,
        log_source="SERVICE",
        source=ImageRef(image),
        command="",
        environment={},
        instances=(Placement(site.guid, 0, site.address),),
        memory_mb=plan.size.memory_mb,
        disk_mb=SCRATCH_MB,
        ports=(),
        health=HealthCheck(type="port", port=server.port, timeout=GIVE_UP, invocation_timeout=5, interval=10),
        files={**given, "key.pem": issued.key, "certificate.pem": issued.certificate},
        reaches=depot.reaches() if depot else (),
        volume=Volume(site.guid, server.folder, plan.size.disk_mb),
        stores=depot.stores(path, size_mb=plan.size.disk_mb) if depot else (),
        host=site.host,
        cpus=plan.size.cpus,
    )


def restoring(there: Workload, server: BackedUp, *, source: Depot, files: Mapping[str, str]) -> Workload:
    """The task that fills the volume of an instance that is not there yet, from the backups of the ``source``."""
    guid = f"{there.app}-{RESTORE}"
    return replace(
        there,
        process_type=RESTORE,
        one_off=True,
        command=server.restore,
        instances=tuple(replace(each, guid=guid) for each in there.instances),
        health=HealthCheck(type="process"),
        files={**files, **source.files()},
        reaches=source.reaches(),
        stores=source.stores(server.store, size_mb=0, read_only=True),
        host="",
    )
