"""Decides from what was seen whether the version that is coming up is healthy, and says why if it is not."""

from __future__ import annotations

from collections.abc import Mapping

from apps import swaps
from apps.models import App, Deployment, Instance
from paas.seams.runtimes.base import Exit, Observation

CRASHES = 3  # of one instance that was never ready, before its version is given up
LONGEST_LINE = 200  # characters


def judge(app: App, kept: list[Instance], stand: swaps.Stand) -> str:
    """Say where the version that is wished for stands: "ready" and "failed" are news, "steady" is not, else "waiting"."""
    target = app.target
    if target is None:
        return "steady"
    mine = [row for row in kept if row.deployment_id == target.pk]
    if target.value == Deployment.Value.FINALIZED:
        if app.serving_id == target.pk:
            return "steady"
        return (
            "ready" if mine and all(row.ready for row in mine) else "steady"
        )  # it failed before, and recovers by itself
    if target.reason == Deployment.Reason.CANCELING or stand.state == "failed":
        return "failed"
    if stand.state == "waiting":
        return "waiting"
    if all(row.ready for row in mine):
        return "ready"
    if any(
        row.crashes >= (1 if row.details.startswith("unhealthy") else CRASHES) and not row.ever_ready for row in mine
    ):
        return "failed"
    return "waiting"


def why(app: App, kept: list[Instance], seen: Mapping[str, Observation], stand: swaps.Stand) -> str:
    """One sentence with the cause, its likely reason and the next step, and the last lines before the end."""
    if app.target and app.target.reason == Deployment.Reason.CANCELING:
        return "The deployment was cancelled."
    if stand.why:
        return stand.why
    exits = [
        (row, seen[row.guid].exit)
        for row in kept
        if row.deployment_id == app.target_id and row.guid in seen and seen[row.guid].exit
    ]
    if not exits:
        return "The new instances did not become healthy."
    row, end = max(exits, key=lambda pair: pair[1].at)  # type: ignore[union-attr]
    assert end is not None
    return _cause(row, end) + ("".join(f"\n    {line}" for line in end.last_lines[-5:]))


def told(row: Instance, end: Exit) -> str:
    """What stands beside an instance that ended, in one line: clients print it in a table, and `cf push` as the error."""
    last = next((line.strip()[:LONGEST_LINE] for line in reversed(end.last_lines) if line.strip()), "")
    return f"{end.reason}, exit status {end.status}. {_cause(row, end)}" + (f" Its last line: {last}" if last else "")


def _cause(row: Instance, end: Exit) -> str:
    match end.reason:
        case "out of memory":
            return (
                f"Instance {row.index} used more than its {row.memory_mb} MB of memory and was ended. "
                "Give the app more memory (cf scale -m)."
            )
        case "unhealthy" if not row.ever_ready:
            return (
                f"Instance {row.index} did not pass its health check in time. Make sure that the app listens on the "
                "port in $PORT, on 0.0.0.0; or set another health check (cf set-health-check)."
            )
        case "unhealthy":
            return f"Instance {row.index} did not answer its health check any more; see cf logs --recent."
    when = "" if row.ever_ready else " soon after it was started"
    return f"Instance {row.index} exited with status {end.status}{when}. Its last lines say why; see cf logs --recent."
