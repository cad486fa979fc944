"""What apps and tasks take of a region's machine and of their quotas."""

from __future__ import annotations

import os
from collections.abc import Mapping

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, F, Sum
from django.db.models.functions import Cast

from accounts import audit
from apps.models import App, Process, Task
from paas.lib.errors import InsufficientResources, Unprocessable
from services import room
from tenants import quotas
from tenants.models import Region, Space

MOST_INSTANCES = 10_000  # of one process
ROOM_LOCK = 8_315_043  # the advisory lock's number
UNFINISHED = (Task.State.PENDING, Task.State.RUNNING, Task.State.CANCELING)


def machine_memory_mb() -> int:
    """What all instances together may have: the setting, or four fifths of the machine."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return settings.PAAS_MEMORY_MB or physical * 4 // 5


def taken_mb(region: Region) -> int:
    """The memory of every started process, of every task that has not ended, and of the services beside them."""
    started = Process.objects.filter(app__state=App.State.STARTED, app__space__region=region)
    processes = started.aggregate(mb=Sum(Cast("memory_mb", BigIntegerField()) * F("instances")))["mb"]
    unfinished = Task.objects.filter(app__space__region=region, state__in=UNFINISHED)
    tasks = unfinished.aggregate(mb=Sum(Cast("memory_mb", BigIntegerField())))["mb"]
    return int(processes or 0) + int(tasks or 0) + room.taken_mb(region)


def check_room(app: App, more_mb: int) -> None:
    """Raise ``InsufficientResources`` if the region could not hold that much more.

    Of two that ask at once the second counts what the first takes: it waits for the first one's transaction. Quotas
    are taken before this, always, or two could wait for each other.
    """
    if more_mb <= 0:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s::int)", [ROOM_LOCK, app.space.region_id])
    taken = taken_mb(app.space.region)
    if taken + more_mb > machine_memory_mb():
        raise InsufficientResources(
            f"The platform has no room for {more_mb} MB more: {taken} of {machine_memory_mb()} MB are taken. "
            "Ask for less memory or fewer instances, or tell the platform team."
        )


def size_of(*processes: Process) -> dict[str, int]:
    """What started processes count for in their quotas."""
    size = {"memory_mb": 0, "instances": 0, "log_rate": 0}
    for process in processes:
        size["memory_mb"] += process.memory_mb * process.instances
        size["instances"] += process.instances
        size["log_rate"] += max(process.log_rate, 0) * process.instances
    return size


def check_instances(space: Space, *processes: Process) -> None:
    """Raise ``QuotaExceeded`` if a quota lets no instance of these that are to run be so large, or log so much."""
    if there := [process for process in processes if process.instances]:
        quotas.check_process_memory(space, max(process.memory_mb for process in there))
        quotas.check_log_rate(space, min(process.log_rate for process in there))


def usage(process: Process, state: str, previous: str, *, before: Mapping[str, int] | None = None) -> None:
    """Record what the process consumes from now on; ``before`` are the sizes that it had, where they changed."""
    was = before or {}
    audit.usage(
        "app",
        state,
        process,
        space=process.space,
        parent_guid=process.app.guid,
        parent_name=process.app.name,
        previous_state=previous,
        process_type=process.type,
        instances=process.instances,
        previous_instances=was.get("instances", process.instances),
        memory_mb=process.memory_mb,
        previous_memory_mb=was.get("memory_mb", process.memory_mb),
    )


def resize(app: App, process: Process, wanted: Mapping[str, int | None]) -> tuple[dict[str, int], dict[str, int]]:
    """Give a process of a locked app another size; return what changed, as it was and as it is.

    ``wanted`` may hold instances, memory_mb, disk_mb and log_rate; None leaves one as it is. What a started app takes
    more comes out of its quotas and must have room.
    """
    after = {name: value for name, value in wanted.items() if value is not None and value != getattr(process, name)}
    before = {name: getattr(process, name) for name in after}
    if after.get("instances", 0) > MOST_INSTANCES:
        raise Unprocessable(f"Instances must be less than or equal to {MOST_INSTANCES}")
    if "memory_mb" in after:
        quotas.check_process_memory(app.space, after["memory_mb"])
    size = size_of(process)
    for name, value in after.items():
        setattr(process, name, value)
    more = {name: amount - size[name] for name, amount in size_of(process).items()}
    if after and app.state == App.State.STARTED:
        check_instances(app.space, process)
        quotas.take(app.space, **more)
        check_room(app, more["memory_mb"])
        usage(process, App.State.STARTED, App.State.STARTED, before=before)
    if after:
        process.save(update_fields=[*after, "updated_at"])
    return before, after
