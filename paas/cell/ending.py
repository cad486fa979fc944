"""Ends instances for good, and goes on with it after a restart of the agent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from .collector import Collector
from .config import Config
from .disks import Disks
from .engine import Engine, EngineAway, EngineRefused
from .instance import KINDS
from .memory import Memory
from .watcher import Watcher

AT_ONCE = 16  # they mostly wait for the grace to pass
MARGIN = 30  # seconds that the engine may take beyond the grace


class Ending:
    def __init__(
        self,
        config: Config,
        engine: Engine,
        memory: Memory,
        *,
        watcher: Watcher,
        collector: Collector,
        disks: Disks,
        close_ways: Callable[[], None],
    ) -> None:
        self.config, self.engine, self.memory, self.close_ways = config, engine, memory, close_ways
        self.watcher, self.collector, self.disks = watcher, collector, disks
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ending")
        self.lock = threading.Lock()
        self.under_way: set[str] = set()

    def prune(self, app: str, keep: Collection[str], grace: int) -> list[str]:
        """End the app's instances but those in ``keep``; return when they are gone, with the guids."""
        guids = self._of(app) - set(keep)
        with self.memory.change() as facts:
            facts["ending"] |= dict.fromkeys(guids, grace)
        list(self.pool.map(self._end, guids))
        return sorted(guids)

    def resume(self) -> None:
        """Go on with what was begun before a restart."""
        for guid in self.memory.facts()["ending"]:
            if guid not in self.under_way:
                self.pool.submit(self._try_again, guid)

    def _try_again(self, guid: str) -> None:
        try:
            self._end(guid)
        except (EngineAway, EngineRefused, OSError):
            return  # it stays in the memory, and the next round tries it again

    def _of(self, app: str) -> set[str]:
        listed = [each["Labels"] for each in self.engine.containers(self.config.install)]
        guids = {each["paas.instance"] for each in listed if each.get("paas.kind") in KINDS and each["paas.app"] == app}
        return guids | {guid for guid, disk in self.memory.facts()["disks"].items() if disk["app"] == app}

    def _end(self, guid: str) -> None:
        """SIGTERM, grace, SIGKILL; then its last lines are stored, then it is removed with its disk."""
        with self.lock:
            self.under_way.add(guid)
        try:
            grace = self.memory.facts()["ending"].get(guid, 10)
            for instance in self.watcher.all():
                if instance.guid == guid:
                    instance.ending = True
            name = quote(self.config.container(guid))
            if seen := self.engine.inspect(name):
                self._remove(seen["Id"], grace)
            self.disks.remove(guid)
            with self.memory.change() as facts:
                had_ways = facts["reaches"].pop(guid, None)
                facts["instances"].pop(guid, None)
                facts["ending"].pop(guid, None)
            if had_ways:
                self.close_ways()
        finally:
            with self.lock:
                self.under_way.discard(guid)

    def _remove(self, container: str, grace: int) -> None:
        self._call("POST", f"/containers/{container}/stop", timeout=grace + MARGIN, query={"t": grace})
        self.collector.drain(container)
        self._call("DELETE", f"/containers/{container}", timeout=MARGIN, query={"force": 1, "v": 1})
        self.watcher.forget(container)

    def _call(self, method: str, path: str, *, timeout: float, query: dict[str, int]) -> None:
        try:
            self.engine.call(method, path, query=query, timeout=timeout)
        except EngineRefused as error:
            # Stopped already, gone already, or another call is removing it now.
            if error.status not in (304, 404, 409):
                raise
