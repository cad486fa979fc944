"""Puts the parts together, in the order that is safe after a boot, and does the regular rounds."""

from __future__ import annotations

import logging
import resource
import subprocess
import threading
import time
from typing import Any

from .collector import Collector
from .config import Config
from .disks import Disks
from .droplets import Droplets
from .ending import Ending
from .engine import Engine, EngineAway, EngineRefused
from .exits import Exits
from .firewall import Firewall
from .happenings import Happenings
from .health import Health
from .instance import Instance
from .logs import Logs
from .memory import Memory
from .processes import alive
from .rules import Pair
from .usage import Usage
from .volumes import Volumes
from .watcher import Watcher

log = logging.getLogger(__name__)

ROUND = 10.0
ROUNDS_BETWEEN_CHORES = 3
ROUNDS_BETWEEN_TRIMS = 6


class Agent:
    def __init__(self, config: Config) -> None:
        self.config = config
        folder = config.state / "cell"
        self.engine = Engine(config.docker_socket)
        self.memory = Memory(folder / "memory.json")
        self.logs = Logs(
            config.state / "logs", max_bytes=config.logs_max_bytes_per_app, max_age=config.logs_max_age_seconds
        )
        self.disks = Disks(config.state / "disks", Droplets(folder / "cache"), self.memory)
        self.volumes = Volumes(config.state / "volumes", self.memory)
        self.happenings = Happenings(folder / "happenings.jsonl")
        self.collector = Collector(self.logs, folder / "offsets.json", config.router_access_log)
        self.exits = Exits(self.collector, self.logs, self.happenings, self.memory)
        self.health = Health(self.exits, self.logs)
        self.watcher = Watcher(
            config,
            self.engine,
            self.memory,
            exits=self.exits,
            collector=self.collector,
            health=self.health,
            mount_all=self.mount_all,
        )
        self.firewall = Firewall(config)
        self.ending = Ending(
            config,
            self.engine,
            self.memory,
            watcher=self.watcher,
            collector=self.collector,
            disks=self.disks,
            close_ways=self.guard,
        )
        self.usage = Usage()
        self.problems: dict[str, str] = {}

    def start(self) -> None:
        # The firewall before the disks: after a boot no instance starts without its disk.
        self.guard()
        self._attempt("disks", self.mount)
        self._attempt("disks", self.disks.sweep)
        self.collector.start()
        self.health.start()
        self.watcher.start()

    def rounds(self, stopped: threading.Event) -> None:
        """Do the regular work until told to stop; what fails is told by /health, and tried again."""
        number = 0
        self._attempt("ending", self.ending.resume)
        while not stopped.wait(ROUND):
            number += 1
            self._attempt("engine", self.watcher.refresh)
            self._attempt("engine", self.watcher.revive)
            self._attempt("ending", self.ending.resume)
            if number % ROUNDS_BETWEEN_CHORES == 0:
                self.guard()
                self._attempt("disks", self.mount)
                self.watcher.note()
            if number % ROUNDS_BETWEEN_TRIMS == 0:
                self._attempt("logs", self.trim)
        self.collector.stop()
        self.watcher.note()

    def guard(self) -> None:
        """Put the firewall in force as the instances' ways say."""
        self._attempt("firewall", self._guard)

    def open_ways(self, guid: str, address: str, reaches: list[list[Any]]) -> None:
        """Open exactly these ways for an instance, and close for good those that it had before."""
        wanted = [[str(to), int(port), str(protocol)] for to, port, protocol in reaches]
        ways = self.memory.facts()["reaches"]
        # An address that had another instance before brings none of its ways along.
        former = [key for key, each in ways.items() if each["address"] == address and key != guid]
        known = ways.get(guid, {"reaches": [], "revoked": []})
        if known["reaches"] == wanted and not former:
            return
        revoked = [each for each in known["reaches"] + known["revoked"] if each not in wanted]
        with self.memory.change() as facts:
            for key in former:
                facts["reaches"].pop(key, None)
            facts["reaches"][guid] = {"address": address, "reaches": wanted, "revoked": revoked}
        self._guard()

    def observations(self, apps: set[str] | None) -> list[dict[str, Any]]:
        self._attempt("engine", self.watcher.refresh)
        return [self._observation(each) for each in self.watcher.all() if apps is None or each.app in apps]

    def mount_all(self) -> list[str]:
        """Mount disks and volumes; return a sentence for each that could not be."""
        return self.disks.mount_all() + self.volumes.mount_all()

    def mount(self) -> None:
        if wrong := self.mount_all():
            raise OSError(" ".join(wrong))

    def trim(self) -> None:
        self.logs.trim()
        self.happenings.trim()
        if self.collector.access:
            self.collector.access.rotate()

    def condition(self) -> dict[str, Any]:
        """Return what a doctor asks: problems as whole sentences, and the agent's own size."""
        problems = [*self.problems.values(), self.watcher.problem, self.collector.problem]
        if not self.memory.save():
            problems.append("The agent's memory cannot be written: the disk is full.")
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"problems": [each for each in problems if each], "instances": len(self.watcher.all()), "rss_kb": size}

    def _guard(self) -> None:
        ways = self.memory.facts()["reaches"].values()
        self.firewall.apply(
            [Pair(each["address"], *way) for each in ways for way in each["reaches"]],
            [Pair(each["address"], *way) for each in ways for way in each["revoked"]],
        )

    def _observation(self, instance: Instance) -> dict[str, Any]:
        labels, container = instance.labels, instance.container
        running = instance.running and alive(instance.pid, container)
        return {
            "instance": instance.guid,
            "app": instance.app,
            "process_type": labels["paas.process"],
            "revision": labels["paas.revision"],
            "index": int(instance.index),
            "address": instance.address,
            # With the engine away what runs is still seen to run; what has ended may be anything by now.
            "state": "unknown" if self.watcher.problem and not running else instance.state(),
            "ready": instance.ready and running and not instance.ending,
            "since": instance.since,
            "seen_at": instance.seen if self.watcher.problem else time.time_ns(),
            "crashes": instance.crashes,
            "exit": instance.exit,
            "cpu": self.usage.cpu(container) if running else None,
            "memory_mb": int(labels["paas.memory"]),
            "memory_bytes": self.usage.memory(container) if running else None,
            "disk_bytes": self.volumes.used_bytes(instance.app) or self.disks.used_bytes(instance.guid),
            "log_bytes_per_second": self.collector.rate(container),
        }

    def _attempt(self, part: str, work: Any) -> None:
        try:
            work()
        except (EngineAway, EngineRefused, OSError, subprocess.SubprocessError) as error:
            if part not in self.problems:
                log.warning("%s: %s", part, _sentence(error))
            self.problems[part] = f"{part}: {_sentence(error)}"
        else:
            self.problems.pop(part, None)


def _sentence(error: Exception) -> str:
    told = getattr(error, "stderr", None)
    if told:
        return f"{error} {told if isinstance(told, str) else told.decode(errors='replace')}".strip()
    return str(error)
