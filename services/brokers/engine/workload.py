"""Turns a plan, a kind of server and a place into what the runtime runs."""

from __future__ import annotations

from dataclasses import replace

from paas.seams.runtimes.authority import Issued
from paas.seams.runtimes.base import HealthCheck, ImageRef, Placement, Store, Volume, Workload

from .base import BackedUp, Json, Server, Site, Wanted
from .plans import Plan, Service

RESTORE = "restore"  # the process type of such a task
GIVE_UP = 3600  # seconds of starting or recovering, after which a server is started anew
SCRATCH_MB = 16
STORE_SHARE = 5  # times the disk: what backups and the log of a week may take


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
        files={**server.files(site, parameters), "key.pem": issued.key, "certificate.pem": issued.certificate},
        volume=Volume(site.guid, server.folder, plan.size.disk_mb),
        stores=stores(server, site),
        host=site.host,
        cpus=plan.size.cpus,
    )


def restoring(there: Workload, server: BackedUp, site: Site, *, source: str, cipher: str, wanted: Wanted) -> Workload:
    """The task that fills the volume of an instance that is not there yet, from the backups of the ``source``."""
    return replace(
        there,
        process_type=RESTORE,
        one_off=True,
        command=server.restore,
        instances=tuple(replace(each, guid=f"{site.guid}-{RESTORE}") for each in there.instances),
        health=HealthCheck(type="process"),
        files=server.restore_files(site, cipher, wanted),
        stores=(Store(store_name(source), server.store, 0, read_only=True),),
        host="",
    )


def stores(server: Server, site: Site) -> tuple[Store, ...]:
    """Return where the instance's backups go, outside its volume and for nobody else to see."""
    if not isinstance(server, BackedUp) or not site.cipher:
        return ()
    return (Store(store_name(site.guid), server.store, site.size.disk_mb * STORE_SHARE),)


def store_name(guid: str) -> str:
    return f"{guid}-backups"
