"""The thread that knows which instances exist, from the engine's events and, since those can be missed, from its lists."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import network
from .collector import Collector
from .config import Config
from .engine import Engine, EngineAway, EngineRefused
from .exits import Exits
from .health import Health
from .instance import KINDS, Instance
from .memory import Memory

log = logging.getLogger(__name__)

RETRY = 0.5
STALE = 3 * 10**9


class Watcher(threading.Thread):
    def __init__(
        self,
        config: Config,
        engine: Engine,
        memory: Memory,
        *,
        exits: Exits,
        collector: Collector,
        health: Health,
        mount_all: Callable[[], object],
    ) -> None:
        super().__init__(name="watcher", daemon=True)
        self.config, self.engine, self.memory = config, engine, memory
        self.exits, self.collector, self.health, self.mount_all = exits, collector, health, mount_all
        self.instances: dict[str, Instance] = {}  # by container
        self.lock = threading.RLock()
        self.problem = "The engine was not asked yet."
        self.root = Path()
        self.last_event: int = memory.facts()["last_event"] or time.time_ns()
        self.note()

    def run(self) -> None:
        while True:
            try:
                self._connect()
            except (EngineAway, EngineRefused, network.NetworkWrong) as error:
                self.problem = str(error)
            except Exception as error:  # the agent must outlive an answer that nobody foresaw; beginning anew mends it
                log.exception("The events of the engine could not be followed.")
                self.problem = f"The events of the engine could not be followed: {error!r}."
            time.sleep(RETRY)

    def all(self) -> list[Instance]:
        with self.lock:
            return list(self.instances.values())

    def refresh(self, *, deep: bool = False) -> None:
        """Compare with the engine's list; ``deep`` looks at every container, else only at those that look different."""
        with self.lock:
            listed = {each["Id"]: each for each in self.engine.containers(self.config.install) if _ours(each["Labels"])}
            for container, each in listed.items():
                known = self.instances.get(container)
                if deep or known is None or known.status != each["State"]:
                    self._look(container)
            for container in set(self.instances) - set(listed):
                self._gone(container)
            if deep:
                self.exits.keep({each.guid for each in self.instances.values()})
                self.collector.keep(listed)

    def note(self) -> None:
        """Remember up to where the events were heard, so that a restart asks for the rest."""
        with self.memory.change() as facts:
            facts["last_event"] = self.last_event

    def revive(self) -> None:
        """Start what should run and does not: the engine gives up where a disk was not mounted yet."""
        for instance in self.all():
            idle = time.time_ns() - instance.since > STALE
            if instance.status == "exited" and not instance.one_off and not instance.ending and idle:
                try:
                    self.mount_all()
                    self.engine.call("POST", f"/containers/{instance.container}/start")
                except (EngineRefused, subprocess.CalledProcessError) as error:
                    self.problem = f"Instance {instance.guid} could not be started again: {error}."

    def forget(self, container: str) -> None:
        with self.lock:
            self._gone(container)

    def _connect(self) -> None:
        self.root = Path(self.engine.call("GET", "/info")["DockerRootDir"])
        network.ensure(self.engine, self.config)
        now = time.time_ns()
        for event in self.engine.events(self.config.install, since=self.last_event, until=now):
            self._handle(event)
        self.refresh(deep=True)
        self.problem = ""
        self.revive()
        for event in self.engine.events(self.config.install, since=now):
            self._handle(event)

    def _handle(self, event: dict[str, Any]) -> None:
        action, container, at = event["Action"], event["Actor"]["ID"], event["timeNano"]
        attributes = event["Actor"]["Attributes"]
        if at <= self.last_event or not _ours(attributes):
            return
        with self.lock:
            instance = self.instances.get(container)
            if action == "oom" and instance:
                instance.memory_ran_out = True
            elif action == "die":
                self._died(container, status=int(attributes["exitCode"]), at=at)
            elif action in ("create", "start"):
                self._look(container)
            elif action == "destroy":
                self._gone(container)
            self.last_event = at
            if action == "die":
                self.note()

    def _look(self, container: str) -> None:
        seen = self.engine.inspect(container)
        if seen is None:
            self._gone(container)
            return
        state, labels = seen["State"], seen["Config"]["Labels"]
        instance = self.instances.get(container)
        if instance is None:
            instance = self.instances[container] = Instance(labels["paas.instance"], container, labels, state["Status"])
            at = nanoseconds(state["StartedAt" if state["Running"] else "FinishedAt"])
            instance.since = at or nanoseconds(seen["Created"])  # it may not have been started yet
            self.exits.recall(instance, state["StartedAt"])
            instance.started_at = state["StartedAt"] if instance.healthy else ""
            instance.ending = instance.guid in self.memory.facts()["ending"]
            self.collector.follow(container, self.root / "containers" / container / f"{container}-json.log", labels)
        instance.seen = time.time_ns()
        instance.pid = state["Pid"]
        instance.set_status(state["Status"])
        if instance.running and instance.started_at != state["StartedAt"]:
            self._new_start(instance, state["StartedAt"])
        elif instance.running:
            self.health.watch(instance)
        elif state["Status"] in ("exited", "dead") and nanoseconds(state["StartedAt"]):
            self._missed(instance, state)

    def _new_start(self, instance: Instance, started_at: str) -> None:
        instance.started_at = started_at
        instance.unhealthy = instance.memory_ran_out = instance.ready = False
        instance.set_healthy(False)
        self.health.watch(instance)

    def _missed(self, instance: Instance, state: dict[str, Any]) -> None:
        """Its end may have been seen by nobody: the agent was away, and the engine forgot its events."""
        finished = nanoseconds(state["FinishedAt"])
        known = instance.exit["at"] if instance.exit else 0
        if not instance.ending and nanoseconds(state["StartedAt"]) > known:
            instance.memory_ran_out |= state["OOMKilled"]
            self.exits.record(instance, status=state["ExitCode"], at=finished)

    def _died(self, container: str, *, status: int, at: int) -> None:
        if container not in self.instances:
            self._look(container)
        instance = self.instances.get(container)
        if instance is None:
            return
        instance.pid = 0
        instance.set_status("exited" if instance.one_off else "restarting")
        if not instance.ending:
            self.exits.record(instance, status=status, at=at)

    def _gone(self, container: str) -> None:
        if self.instances.pop(container, None):
            self.collector.unfollow(container)
            self.exits.keep({each.guid for each in self.instances.values()})


def nanoseconds(moment: str) -> int:
    """Return the engine's time as nanoseconds (whole microseconds); its year 1 ("never") becomes 0."""
    if moment.startswith("0001"):
        return 0
    return int(datetime.fromisoformat(moment[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp() * 10**6) * 1000


def _ours(labels: dict[str, str]) -> bool:
    return labels.get("paas.kind") in KINDS
