"""How an app stands, in words: "running 2/2", "crashed", "building", "stopped"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.models import App, Build, Instance, Process
from tenants.models import Region

FRESH = timedelta(seconds=15)  # a region that nobody looked at for longer is not spoken of as if somebody had


@dataclass(frozen=True)
class Standing:
    """``words`` is what people read; ``kind`` only chooses the colour."""

    words: str
    kind: str


def watched(region: Region) -> bool:
    """Whether what the rows say of instances was seen just now."""
    return region.watched_at is not None and timezone.now() - region.watched_at < FRESH


def standing(app: App) -> list[Standing]:
    """Say how the app stands. Wants ``processes``, ``running`` and ``builds`` (those being made) prefetched."""
    under_way = [Standing("building", "building")] if any(_staging(build) for build in app.builds.all()) else []
    if app.state == App.State.STOPPED:
        never = app.droplet_id is None
        return under_way or [Standing("not pushed yet" if never else "stopped", "stopped")]
    coming = app.target_id != app.serving_id and app.serving_id is not None
    deploying = [Standing("deploying", "deploying")] if coming else []
    return [_running(app), *deploying, *under_way]


def _staging(build: Build) -> bool:
    return build.state == Build.State.STAGING


def _running(app: App) -> Standing:
    shown = app.serving_id or app.target_id
    rows = [row for row in app.running.all() if row.deployment_id == shown]
    wanted = sum(process.instances for process in app.processes.all() if runs(app, process))
    ready = sum(row.ready for row in rows)
    count = f"{ready}/{wanted}"
    if not wanted:
        return Standing("running 0/0", "stopped")
    if ready >= wanted:
        return Standing(f"running {count}", "running")
    return Standing(f"{_trouble(rows, ready)} {count}", _trouble(rows, ready))


def _trouble(rows: list[Instance], ready: int) -> str:
    states = {row.state for row in rows if not row.ready}
    if "crashed" in states:
        return "degraded" if ready else "crashed"
    return "unknown" if states == {"unknown"} else "starting"


def runs(app: App, process: Process) -> bool:
    """Whether there is anything to run for the process: its own command, or one that the droplet brings."""
    droplet = app.droplet
    return bool(process.command or (droplet and (droplet.process_types.get(process.type) or droplet.image)))
