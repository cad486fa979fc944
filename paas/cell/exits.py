"""Writes down how an instance ended: for its users, for the control plane, and for the next start of the agent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .collector import Collector
from .happenings import Happenings
from .instance import Instance
from .logs import Logs
from .memory import Memory

KILLED, TERMINATED = 137, 143
LINE_COUNT = 20


class Exits:
    def __init__(self, collector: Collector, logs: Logs, happenings: Happenings, memory: Memory) -> None:
        self.collector, self.logs, self.happenings, self.memory = collector, logs, happenings, memory

    def record(self, instance: Instance, *, status: int, at: int) -> None:
        """Note an end that nobody asked for; ``at`` is in nanoseconds. The same end a second time changes nothing."""
        self.collector.ended(instance.container, at)
        if instance.exit and (instance.one_off or at <= instance.exit["at"]):
            return
        self.collector.drain(instance.container, timeout=5)
        reason = _reason(instance, status)
        lines = self.collector.last_lines(instance.container, at, LINE_COUNT)
        instance.exit = {"status": status, "reason": reason, "at": at, "last_lines": lines}
        if not instance.one_off or status != 0:
            instance.crashes += 1
        self._say(instance, status, reason)  # before what the disk may hold up: the next start has lines of its own
        self._happened(instance)
        self.remember(instance)

    def remember(self, instance: Instance) -> None:
        """Keep what cannot be asked of the engine after a restart of the agent."""
        with self.memory.change() as facts:
            facts["instances"][instance.guid] = {
                "started_at": instance.started_at,
                "healthy": instance.healthy,
                "ready": instance.ready,
                "since": instance.since,
                "crashes": instance.crashes,
                "exit": instance.exit,
            }

    def recall(self, instance: Instance, started_at: str) -> None:
        """Give back what was remembered; health holds only for the same start."""
        known: dict[str, Any] = self.memory.facts()["instances"].get(instance.guid, {})
        instance.crashes, instance.exit = known.get("crashes", 0), known.get("exit")
        if known and known["started_at"] == started_at:
            instance.healthy, instance.ready, instance.since = known["healthy"], known["ready"], known["since"]

    def keep(self, guids: Collection[str]) -> None:
        """Forget every instance but these."""
        with self.memory.change() as facts:
            facts["instances"] = {guid: each for guid, each in facts["instances"].items() if guid in guids}

    def _happened(self, instance: Instance) -> None:
        happening = {
            "at": instance.exit and instance.exit["at"],
            "kind": "unhealthy" if instance.unhealthy else "exited",
            "instance": instance.guid,
            "app": instance.app,
            "process_type": instance.labels["paas.process"],
            "index": int(instance.index),
            "exit": instance.exit,
        }
        try:
            self.happenings.add(happening)
        except OSError:
            return  # the disk is full; the count and the last exit are still in the observation

    def _say(self, instance: Instance, status: int, reason: str) -> None:
        more = "" if reason in ("exited", "killed") else f" ({reason})"
        self.logs.say(instance.app, instance.labels["paas.log_source"], instance.index, f"Exit status {status}{more}")


def _reason(instance: Instance, status: int) -> str:
    if instance.unhealthy:
        return "unhealthy"
    # The engine also tells of a child that ran out of memory while the app went on.
    if status == KILLED and instance.memory_ran_out:
        return "out of memory"
    return "killed" if status in (KILLED, TERMINATED) else "exited"
