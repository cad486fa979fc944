"""What runs right now: instances with their usage, and log lines; read at the moment of asking, kept nowhere."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from apps import outside
from apps.models import App, Build, Deployment, Instance, Process
from paas.seams.runtimes.base import LogLine, Observation
from tenants.access import authorize

log = logging.getLogger(__name__)

FAILURE_SHOWN = timedelta(seconds=30)  # how long a deployment that was called back is still what the stats show
STATES = {"starting": "STARTING", "crashed": "CRASHED", "stopping": "STOPPING", "stopped": "DOWN", "unknown": "DOWN"}


@dataclass(frozen=True)
class Usage:
    """What one instance uses: ``cpu`` is 1.0 for a whole core, the rest are bytes, and bytes per second."""

    at: datetime
    cpu: float
    memory: int
    disk: int
    log_rate: int


@dataclass(frozen=True)
class Shown:
    """One instance as people see it; ``guid`` and ``address`` are empty where none exists."""

    process_type: str
    index: int
    state: str
    routable: bool
    since: datetime
    memory_mb: int
    disk_mb: int
    log_rate: int
    guid: str = ""
    address: str = ""
    zone: str = ""
    details: str = ""
    crashes: int = 0
    seen_at: datetime | None = None
    usage: Usage | None = None


def instances(app: App, processes: Collection[Process]) -> list[Shown]:
    """Return every instance that should run of those processes of one app, in order, with what each uses.

    They are those of the deployment that is being brought up, so that nobody takes the health of the old version
    for the new one's; where it failed and the old one went on serving, its crash shows for half a minute.
    """
    failed = _failed(app)
    shown = failed or app.target
    rows = list(Instance.objects.filter(deployment=shown)) if shown else []
    seen = {each.instance: each for each in observe([app.guid])} if rows else {}
    found: list[Shown] = []
    for process in processes:
        mine = {row.index: row for row in rows if row.process_type == process.type}
        for index in range(process.instances):
            row = mine.get(index)
            shape = _there(row, process, shown, seen.get(row.guid)) if row and shown else _missing(app, process, index)
            found.append(_crashed(shape, failed) if failed else shape)
    return found


def _failed(app: App) -> Deployment | None:
    newest = app.deployments.order_by("-id").first() if app.serving_id else None
    if newest is None or newest.failed_at is None or newest.pk == app.serving_id:
        return None
    return newest if timezone.now() - newest.failed_at < FAILURE_SHOWN else None


def _crashed(shape: Shown, failed: Deployment) -> Shown:
    details = shape.details or failed.error
    return Shown(**{**vars(shape), "state": "CRASHED", "routable": False, "details": details, "usage": None})


def state_of(row: Instance, deployment: Deployment) -> str:
    """The state as clients know it: RUNNING only when the router leads there, so that who sees it can ask at once."""
    if row.state == "running":
        live = deployment.value == Deployment.Value.FINALIZED and (row.ready or row.ever_ready)
        return "RUNNING" if live else "STARTING"
    return STATES[row.state]


def _there(row: Instance, process: Process, deployment: Deployment, seen: Observation | None) -> Shown:
    return Shown(
        process_type=process.type,
        index=row.index,
        state=state_of(row, deployment),
        routable=row.ready,
        since=row.since,
        memory_mb=row.memory_mb,
        disk_mb=row.disk_mb,
        log_rate=process.log_rate,
        guid=row.guid,
        address=row.address,
        zone=row.zone,
        details="" if row.ready else row.details,  # how it ended last time is news only while it is not back
        crashes=row.crashes,
        seen_at=row.seen_at,
        usage=_usage(seen) if seen else None,
    )


def _missing(app: App, process: Process, index: int) -> Shown:
    """An instance that should be there and is not yet, or an app that is stopped."""
    started = app.state == App.State.STARTED
    return Shown(
        process_type=process.type,
        index=index,
        state="STARTING" if started else "DOWN",
        routable=False,
        since=app.target.created_at if started and app.target else app.updated_at,
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
        log_rate=process.log_rate,
    )


def _usage(seen: Observation) -> Usage | None:
    if seen.memory_bytes is None and seen.cpu is None:
        return None
    return Usage(
        at=seen.seen_at,
        cpu=seen.cpu or 0.0,
        memory=seen.memory_bytes or 0,
        disk=seen.disk_bytes or 0,
        log_rate=seen.log_bytes_per_second or 0,
    )


def observe(apps: Collection[str]) -> list[Observation]:
    """Ask the region what runs of those apps; an engine that does not answer costs the figures, never the page."""
    try:
        return outside.runtime().observe(apps)
    except Exception as error:  # whatever keeps the runtime from answering, the rows are still true
        log.warning("The runtime did not say what runs: %s", error)
        return []


def lines(user: User, source: App | Build, *, cursor: int = 0, **asked: Any) -> list[LogLine]:
    """Read lines of the app's or the build's log from ``cursor`` (nanoseconds since 1970) on; see ``Runtime.read_log``."""
    authorize(user, "log.read", source.space)
    return outside.runtime().read_log(source.guid, start=max(cursor, 0), **asked)
