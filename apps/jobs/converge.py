"""Makes one app's wish true: instances up beside the old ones, health, routes, drain, stop."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps import addresses, outside, routing, swaps
from apps.environment import routes_of
from apps.jobs.look import look, note
from apps.jobs.verdict import judge, why
from apps.models import App, Deployment, Instance, Process
from apps.workload import workload_for
from paas.lib.errors import InsufficientResources
from paas.lib.models import new_guid
from paas.lib.queue import Lease, job, others_wait
from paas.seams.runtimes.base import LogLine

log = logging.getLogger(__name__)

POLL = 0.1  # seconds between looks while something comes up
PATIENCE = 12  # seconds in one go, then the work is put back and taken up again
REST = 1.0  # seconds until then
DRAIN = 2.0  # seconds between leaving the router and SIGTERM
SHOWN = timedelta(seconds=30)  # how long a version that failed is listed beside the one that serves


@job("apps.jobs.converge", model=App)
def converge(lease: Lease) -> None:
    until = time.monotonic() + PATIENCE
    published = None
    while True:
        app = _fresh(lease.pk)
        generation = app.generation
        if generation not in (app.observed_generation, published):
            routing.publish()  # the wish may be about routes alone, and those wait for no instance
            published = generation
        done = _step(app, lease)
        if done:
            swaps.clear(app)
            lease.save(observed_generation=generation)
            if app.serving_id and _failed_shown(app):
                lease.again(SHOWN.total_seconds())
            return
        if time.monotonic() > until or others_wait("converge") or swaps.stand(app.target).state == "waiting":
            lease.again(REST)
            return
        lease.heartbeat()
        time.sleep(POLL)


def _fresh(pk: int) -> App:
    return App.objects.select_related(
        "space__organization",
        "space__region",
        "target__revision__droplet__package",
        "serving__revision__droplet__package",
    ).get(pk=pk)


def _step(app: App, lease: Lease) -> bool:
    """Do all that can be done now; return whether the wish has come true (or has been given up)."""
    stand = swaps.stand(app.target)  # once: what is not begun in this step is not judged in it either
    running = _running_deployments(app, stand)
    _end_restarted(app, running, lease)
    kept = plan(app, running)
    lease.heartbeat()
    if app.target and app.state == App.State.STARTED:
        try:
            _apply(app, kept, running)
        except InsufficientResources as error:
            give_up(app, app.target, error.detail)
            return False
        made = look([app.guid])
        changed = note(kept, made)
        verdict = judge(app, kept, stand)
        if verdict == "waiting" and not changed:
            return False
        if verdict == "failed":
            give_up(app, app.target, why(app, kept, made.seen, stand))
            return False
        if verdict == "ready":
            finish(app)
            return False
        if changed:
            routing.publish()
        _retire(app, kept, lease)
        return verdict == "steady"
    _retire(app, [], lease)
    return True


def plan(app: App, deployments: list[Deployment]) -> list[Instance]:
    """Write the rows of instances that are missing, and return those that these deployments should have."""
    kept: list[Instance] = []
    if app.state != App.State.STARTED or app.target is None:
        return kept
    with transaction.atomic():
        processes = list(Process.objects.filter(app=app))
        for deployment in deployments:
            rows = {(row.process_type, row.index): row for row in Instance.objects.filter(deployment=deployment)}
            for process in (p for p in processes if _runs(p, deployment)):
                for index in range(process.instances):
                    row = rows.get((process.type, index))
                    kept.append(row or _instance(app, deployment, process, index))
    return kept


def _runs(process: Process, deployment: Deployment) -> bool:
    """A process without a command (the droplet no longer brings its type) has nothing to run."""
    image = bool(deployment.droplet and deployment.droplet.image)
    return bool(deployment.command(process.type)) or (image and process.type == "web")


def _end_restarted(app: App, deployments: list[Deployment], lease: Lease) -> None:
    """End the instances whose restart was asked for; ``plan`` writes new ones in their place."""
    asked = list(Instance.objects.filter(app=app, state="stopping", deployment__in=deployments))
    if asked:
        keep = set(
            Instance.objects.filter(app=app).exclude(pk__in=[row.pk for row in asked]).values_list("guid", flat=True)
        )
        _end(app, asked, keep, lease)


def _running_deployments(app: App, stand: swaps.Stand) -> list[Deployment]:
    there = [d for d in dict.fromkeys((app.target, app.serving)) if d is not None]
    return [d for d in there if d.pk == app.serving_id or stand.state == "ready"]


def _instance(app: App, deployment: Deployment, process: Process, index: int) -> Instance:
    guid = new_guid()
    return Instance.objects.create(
        guid=guid,
        app=app,
        deployment=deployment,
        process_type=process.type,
        index=index,
        address=addresses.take(app.space.region, guid),
        memory_mb=process.memory_mb,
        disk_mb=process.disk_mb,
    )


def _release(rows: list[Instance]) -> None:
    guids = [row.guid for row in rows]
    with transaction.atomic():  # so that no address is ever seen without its instance
        Instance.objects.filter(guid__in=guids).delete()
        addresses.give_back(guids)


def _apply(app: App, kept: list[Instance], running: list[Deployment]) -> None:
    runtime = outside.runtime()
    uris = routes_of(app)
    processes = {process.type: process for process in app.processes.all()}
    deployments = {deployment.pk: deployment for deployment in running}
    ordered = sorted(kept, key=lambda row: (row.deployment_id, row.process_type, row.memory_mb, row.disk_mb, row.index))
    for key, rows in groupby(
        ordered, key=lambda row: (row.deployment_id, row.process_type, row.memory_mb, row.disk_mb)
    ):
        runtime.apply(workload_for(app, processes[key[1]], deployments[key[0]], rows, uris))


def finish(app: App) -> None:
    """The version is healthy: it serves from now on, and is called live once the router leads to it."""
    with transaction.atomic():
        fresh = App.objects.lock(app.pk)
        if fresh.target_id != app.target_id:
            return
        if fresh.serving_id != fresh.target_id:
            swaps.complete(app.target)
            App.objects.filter(pk=app.pk).update(serving=app.target_id)
    routing.publish()
    with transaction.atomic():
        fresh = App.objects.lock(app.pk)
        target = Deployment.objects.lock(app.target_id)
        if fresh.target_id != target.pk:
            return
        now = timezone.now()
        target.value, target.reason = Deployment.Value.FINALIZED, Deployment.Reason.DEPLOYED
        target.status_changed_at = target.healthy_at = now
        target.error, target.failed_at = "", None
        target.save()
    _say(app, f"Revision {target.revision.version} is live")


def give_up(app: App, deployment: Deployment, error: str) -> None:
    """The version never got healthy: what served before goes on, and the system user records the return."""
    with transaction.atomic():
        fresh = App.objects.lock(app.pk)
        deployment = Deployment.objects.lock(deployment.pk)
        if fresh.target_id != deployment.pk or deployment.value == Deployment.Value.FINALIZED:
            return
        now = timezone.now()
        swaps.undo(deployment)
        called_off = deployment.reason == Deployment.Reason.CANCELING
        deployment.value, deployment.reason = Deployment.Value.FINALIZED, Deployment.Reason.CANCELED
        deployment.error, deployment.status_changed_at = "" if called_off else error, now
        deployment.failed_at = None if called_off else now
        deployment.save()
        back = fresh.serving
        if back and back.pk != deployment.pk:
            Instance.objects.filter(deployment=deployment).update(state="crashed", ready=False, noted_at=Now())
            App.objects.filter(pk=app.pk).update(target=back, droplet=back.droplet)
            audit.record(
                User.objects.system(), "audit.app.revert", app, deployment_guid=deployment.guid, reason=error,
                from_revision=deployment.revision.version, to_revision=back.revision.version,
            )  # fmt: skip
    outcome = (
        f"revision {back.revision.version} goes on serving"
        if back and back.pk != deployment.pk
        else "nothing serves yet"
    )
    _say(app, f"Revision {deployment.revision.version} was given up: {error} ({outcome})", stream="ERR")


def _failed_shown(app: App) -> bool:
    return app.deployments.filter(failed_at__gt=timezone.now() - SHOWN).exists()


def _retire(app: App, kept: list[Instance], lease: Lease) -> None:
    """Take what is not wanted any more out of the router, let it drain, end it, and free its addresses."""
    keep = {row.guid for row in kept}
    extra = [row for row in Instance.objects.filter(app=app).exclude(guid__in=keep)]
    running = [row for row in extra if not (row.state == "crashed" and _is_shown(row, app))]
    _end(app, running, keep, lease)


def _end(app: App, rows: list[Instance], keep: set[str], lease: Lease) -> None:
    """Out of the router, drained, ended, their addresses free: everything of the app but ``keep``."""
    if rows:
        Instance.objects.filter(pk__in=[row.pk for row in rows]).update(ready=False, state="stopping")
        routing.publish()
    if any(row.ready for row in rows):
        time.sleep(DRAIN)
    with lease.beating():
        outside.runtime().prune(app.guid, keep | tasks_of(app))
    with transaction.atomic():
        _release(rows)


def tasks_of(app: App) -> set[str]:
    """The one-off containers that nobody but their own job may end."""
    return set(app.tasks.filter(state__in=("PENDING", "RUNNING", "CANCELING")).values_list("guid", flat=True))


def _is_shown(row: Instance, app: App) -> bool:
    """A version that failed stays listed for a moment, so that ``cf push`` reports it as what it was."""
    if app.state != App.State.STARTED:
        return False
    failed = row.deployment.failed_at
    return failed is not None and failed > timezone.now() - SHOWN


def _say(app: App, text: str, *, stream: str = "OUT") -> None:
    lines = [LogLine(0, "CELL", "0", stream, line) for line in text.splitlines()]  # type: ignore[arg-type]
    outside.runtime().write_log(app.guid, lines)
    if settings.DEBUG:
        log.info("%s: %s", app.name, text)
