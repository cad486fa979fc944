"""A runtime in memory, for tests of what stands above it: instances do what the test tells them to."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from paas.lib.errors import InsufficientResources

from .base import Exit, Happening, LogLine, Observation, Placement, Runtime, Workload


@dataclass
class FakeInstance:
    """``broken`` never passes its health check."""

    workload: Workload
    placement: Placement
    since: datetime
    broken: bool = False
    down: bool = False
    crashes: int = 0
    exit: Exit | None = None


class FakeRuntime(Runtime):
    """Instances are ready at once, but those of apps named to ``fail``. ``memory_mb`` None is without limit."""

    def __init__(self, *, memory_mb: int | None = None) -> None:
        self.memory_mb = memory_mb
        self.instances: dict[str, FakeInstance] = {}
        self.failing: set[str] = set()
        self.logs: dict[str, list[LogLine]] = {}
        self.volumes: set[str] = set()
        self._happenings: list[Happening] = []

    def fail(self, app_or_revision: str) -> None:
        """What starts of this app or revision from now on never gets healthy."""
        self.failing.add(app_or_revision)

    def crash(self, instance: str, *, status: int = 1, reason: str = "exited", lines: Sequence[str] = ()) -> None:
        """End the instance; it is down until ``recover``, or for ever if it is a task."""
        each = self.instances[instance]
        for line in lines:
            self.print(instance, line)
        each.exit = Exit(status, reason, datetime.now(UTC), self._last_lines(each))
        each.down, each.since = True, each.exit.at
        if status or not each.workload.one_off:
            each.crashes += 1
        self._happenings.append(
            Happening(
                number=len(self._happenings) + 1,
                at=each.exit.at,
                kind="unhealthy" if reason == "unhealthy" else "exited",
                instance=instance,
                app=each.workload.app,
                process_type=each.workload.process_type,
                index=each.placement.index,
                exit=each.exit,
            )
        )

    def finish(self, instance: str, *, status: int = 0, lines: Sequence[str] = ()) -> None:
        """End a task."""
        self.crash(instance, status=status, lines=lines)

    def recover(self, instance: str) -> None:
        """Bring a crashed instance back, as the engine does."""
        each = self.instances[instance]
        each.down, each.since = False, datetime.now(UTC)

    def print(self, instance: str, text: str) -> None:
        """Let the instance write a line."""
        each = self.instances[instance]
        line = LogLine(0, each.workload.log_source, str(each.placement.index), "OUT", text)
        self.write_log(each.workload.app, [line])

    def apply(self, workload: Workload) -> None:
        missing = [placement for placement in workload.instances if placement.guid not in self.instances]
        used = sum(
            each.workload.memory_mb for each in self.instances.values() if not (each.down and each.workload.one_off)
        )
        if missing and self.memory_mb is not None and used + len(missing) * workload.memory_mb > self.memory_mb:
            raise InsufficientResources()
        broken = bool({workload.app, workload.revision} & self.failing)
        for placement in missing:
            self.instances[placement.guid] = FakeInstance(workload, placement, datetime.now(UTC), broken)
        if missing:
            self.volumes |= {workload.app} if workload.volume else set()
            self.volumes |= {store.name for store in workload.stores}

    def prune(self, app: str, keep: Collection[str], *, grace: int = 10) -> None:
        for guid, each in list(self.instances.items()):
            if each.workload.app == app and guid not in keep:
                del self.instances[guid]

    def observe(self, apps: Collection[str] | None = None) -> list[Observation]:
        return [_seen(guid, each) for guid, each in self.instances.items() if apps is None or each.workload.app in apps]

    def happenings(self, after: int) -> list[Happening]:
        return [each for each in self._happenings if each.number > after]

    def write_log(self, source: str, lines: Sequence[LogLine]) -> None:
        for line in lines:
            for text in line.text.split("\n"):
                kept = self.logs.setdefault(source, [])
                now, last = time.time_ns(), kept[-1].at if kept else 0
                kept.append(replace(line, at=max(min(line.at or now, now), last + 1), text=text))

    def read_log(
        self,
        source: str,
        *,
        start: int = 0,
        end: int | None = None,
        limit: int = 100,
        descending: bool = False,
        source_types: Collection[str] = (),
        instance: str = "",
    ) -> list[LogLine]:
        found = [
            line
            for line in self.logs.get(source, ())
            if line.at >= start
            and (end is None or line.at < end)
            and (not source_types or line.source_type in source_types)
            and (not instance or line.instance == instance)
        ]
        return (found[::-1] if descending else found)[:limit]

    def kept(self) -> set[str]:
        return set(self.volumes)

    def forget(self, source: str) -> None:
        self.volumes.discard(source)
        self.logs.pop(source, None)

    def _last_lines(self, each: FakeInstance) -> tuple[str, ...]:
        own = (each.workload.log_source, str(each.placement.index))
        lines = [line.text for line in self.logs.get(each.workload.app, ()) if (line.source_type, line.instance) == own]
        return tuple(lines[-20:])


def _seen(guid: str, each: FakeInstance) -> Observation:
    running = not each.down and not each.broken
    ended = "stopped" if each.workload.one_off else "crashed"
    return Observation(
        instance=guid,
        app=each.workload.app,
        process_type=each.workload.process_type,
        revision=each.workload.revision,
        index=each.placement.index,
        address=each.placement.address,
        state=ended if each.down else "running" if running else "starting",  # type: ignore[arg-type]
        ready=running,
        since=each.since,
        seen_at=datetime.now(UTC),
        crashes=each.crashes,
        exit=each.exit,
        cpu=0.0 if running else None,
        memory_mb=each.workload.memory_mb,
        memory_bytes=1 << 20 if running else None,
        disk_bytes=0,
        log_bytes_per_second=0,
    )
