"""Builds: one at a time and organization by organization, with live lines and steps."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from apps import outside
from apps.actions import push
from apps.models import App, Build, Buildpack, BuildStep, Droplet
from paas.lib.errors import PaasError
from paas.lib.models import new_guid
from paas.lib.queue import Lease, LeaseLost, job
from paas.seams.builders.base import BuildFailed, BuildpackRef, BuildRequest, Built, Line, Step
from paas.seams.runtimes.base import LogLine

log = logging.getLogger(__name__)

FLUSH = 0.2  # seconds between writes of lines


def fair_order() -> list[int]:
    """The builds that wait, in the order they will be taken: the organization with the fewest running ones first."""
    running = dict(
        Build.objects.filter(state=Build.State.STAGING, lease_until__gt=timezone.now())
        .values_list("app__space__organization")
        .annotate(count=Count("id"))
    )
    waiting = Build.objects.due().filter(state=Build.State.STAGING).order_by("created_at", "id")
    rank: dict[int, int] = {}
    ranked = []
    for pk, organization in waiting.values_list("pk", "app__space__organization"):
        rank[organization] = rank.get(organization, running.get(organization) or 0) + 1
        ranked.append((rank[organization], len(ranked), pk))
    return [pk for _, _, pk in sorted(ranked)]


def next_in_line(asked: int) -> int:
    return next(iter(fair_order()), asked)


@job("apps.jobs.stage", model=Build, queue="builds", choose=next_in_line)
def stage(lease: Lease) -> None:
    build: Build = Build.objects.select_related("app__space__organization", "package", "created_by").get(pk=lease.pk)
    if build.state != Build.State.STAGING:
        return
    journal = Journal(build)
    lease.save(started_at=build.started_at or timezone.now())
    with lease.beating(), journal:
        try:
            droplet = (
                _docker(build)
                if build.lifecycle == App.Lifecycle.DOCKER
                else _reuse(build, journal) or _build(build, journal)
            )
        except BuildFailed as failure:
            journal.failed(failure)
            _fail(lease, build, failure)
            return
    _succeed(lease, build, droplet, journal)


class Journal:
    """Carries lines to the app's log and the build's own, and steps to their rows, from a thread of its own."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._lines: list[LogLine] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        BuildStep.objects.filter(build=build).delete()  # a worker died: the build begins anew

    def __enter__(self) -> Journal:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH):
            self.flush()
        connection.close()

    def flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            outside.runtime().write_log(self.build.app.guid, lines)
            outside.runtime().write_log(self.build.guid, lines)
        except OSError:  # the cell is being restarted: the lines wait, the build goes on
            log.warning("Lines of build %s could not be written; they are tried again.", self.build.guid, exc_info=True)
            with self._lock:
                self._lines = lines + self._lines

    def __call__(self, event: Step | Line) -> None:
        if isinstance(event, Step):
            self.step(event)
            return
        with self._lock:
            self._lines.append(LogLine(0, "STG", "0", event.stream, event.text))

    def say(self, text: str, *, error: bool = False) -> None:
        for line in text.splitlines():
            self(Line(line, "ERR" if error else "OUT"))

    def step(self, step: Step) -> None:
        self.end_step()
        BuildStep.objects.create(build=self.build, name=step.name, title=step.title, started_at=timezone.now())

    def end_step(self, *, failed: bool = False) -> None:
        BuildStep.objects.filter(build=self.build, ended_at=None).update(ended_at=timezone.now(), failed=failed)

    def failed(self, failure: BuildFailed) -> None:
        self.end_step(failed=True)
        self.say(f"{failure.title}: {failure.sentence}", error=True)


def staged_as(build: Build) -> str:
    """A digest of everything that goes into a droplet; "" if a part of it cannot be told (a buildpack's address)."""
    package = build.package
    if package is None or not package.content_sha256 or any("://" in name for name in build.buildpacks):
        return ""
    known = list(
        Buildpack.objects.filter(enabled=True).values_list("name", "position", "sha256", "builtin").order_by("position")
    )
    environment = {key: value for key, value in build.environment.items() if key != "VCAP_APPLICATION"}
    parts = [package.content_sha256, build.stack, build.buildpacks, known, environment]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _reuse(build: Build, journal: Journal) -> Droplet | None:
    same = staged_as(build)
    if build.fresh or not same:
        return None
    found = (
        Droplet.objects.filter(app=build.app, staged_as=same, state=Droplet.State.STAGED)
        .order_by("-created_at")
        .first()
    )
    if found:
        journal.step(Step("reuse", "Nothing changed"))
        journal.say(
            f"The source, the buildpacks and the build environment are the same as for droplet {found.guid}: it is used "
            "again, and nothing is built. To build anyway, use cf restage."
        )
    return found


def _docker(build: Build) -> Droplet:
    assert build.package is not None
    return Droplet(
        app=build.app,
        package=build.package,
        state=Droplet.State.STAGED,
        image=build.package.image,
        process_types={"web": ""},
    )


def _build(build: Build, journal: Journal) -> Droplet:
    app, guid = build.app, new_guid()
    if build.package is None:
        raise BuildFailed("StagingError", "The package was deleted while its build was waiting. Push again.")
    if build.cancelled:
        raise BuildFailed("StagingCancelled", "The build was cancelled. Push again to build.")
    request = BuildRequest(
        guid=build.guid,
        app=app.guid,
        source_key=build.package.key,
        source_url=build.package.source_url,
        source_ref=build.package.source_ref,
        droplet_key=f"droplets/{guid}.tgz",
        cache_key=app.cache_key or f"caches/{app.guid}-{build.stack}.tgz",
        stack=build.stack,
        buildpacks=tuple(_buildpacks(build)),
        detect=not build.buildpacks,
        environment=build.environment,
        memory_mb=build.memory_mb,
        disk_mb=build.disk_mb,
    )
    built = outside.builder().build(request, journal, lambda: _cancelled(build.pk))
    App.objects.filter(pk=app.pk).update(cache_key=request.cache_key)
    return Droplet(
        guid=guid,
        app=app,
        package=build.package,
        state=Droplet.State.STAGED,
        key=request.droplet_key,
        stack=build.stack,
        staged_as=staged_as(build),
        **_outcome(built),
    )


def _outcome(built: Built) -> dict[str, Any]:
    return {
        "sha256": built.sha256,
        "size": built.size,
        "process_types": dict(built.process_types),
        "sidecars": [
            {"name": s.name, "command": s.command, "process_types": list(s.process_types), "memory_mb": s.memory_mb}
            for s in built.sidecars
        ],
        "buildpacks": [vars(used) for used in built.buildpacks],
    }


def _buildpacks(build: Build) -> list[BuildpackRef]:
    enabled = Buildpack.objects.filter(enabled=True).filter(stack__in=[build.stack]) | Buildpack.objects.filter(
        enabled=True, stack=None
    )
    rows = {row.name: row for row in enabled.order_by("position")}
    if not build.buildpacks:
        return [_ref(row) for row in rows.values() if row.state == "READY"]
    missing = [
        name for name in build.buildpacks if name not in rows and "://" not in name and not name.startswith("git@")
    ]
    if missing:
        raise BuildFailed(
            "StagingError",
            f'The buildpack "{missing[0]}" is not there or is switched off. cf buildpacks lists those that there are.',
        )
    return [_ref(rows[name]) if name in rows else BuildpackRef(name, "url", name) for name in build.buildpacks]


def _ref(row: Buildpack) -> BuildpackRef:
    return (
        BuildpackRef(row.name, "builtin", row.builtin)
        if row.builtin and not row.key
        else BuildpackRef(row.name, "blob", row.key)
    )


def _cancelled(pk: int) -> bool:
    return not Build.objects.filter(pk=pk, cancelled=False).exists()


def _succeed(lease: Lease, build: Build, droplet: Droplet, journal: Journal) -> None:
    with transaction.atomic():
        if not lease.held():
            raise LeaseLost("The build was adopted; its droplet is left to the sweep.")
        if droplet.pk is None:
            droplet.save()
        lease.save(state=Build.State.STAGED, droplet=droplet, ended_at=timezone.now())
        journal.end_step()
        build.droplet = droplet
        try:
            with transaction.atomic():
                push.succeed(build, droplet)
        except PaasError as error:  # it was built, and may not (or cannot) go live: that is said, and the droplet kept
            Build.objects.filter(pk=build.pk).update(
                error=f"The build succeeded, but it was not put live: {error.detail}"
            )


def _fail(lease: Lease, build: Build, failure: BuildFailed) -> None:
    with transaction.atomic():
        text = f"{failure.title} - {failure.sentence}"
        lease.save(state=Build.State.FAILED, error=text, error_title=failure.title, ended_at=timezone.now())
        push.fail(build, text)


def position(build: Build) -> int | None:
    """Where the build stands in the queue: 1 is next; None when it is not waiting."""
    order = fair_order()
    return order.index(build.pk) + 1 if build.pk in order else None
