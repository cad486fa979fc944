"""The thread that checks every instance when it is due, and ends those that do not answer."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from .checks import passes
from .exits import Exits
from .instance import Instance
from .logs import Logs
from .processes import alive, end

log = logging.getLogger(__name__)

TICK = 0.1
FAILURES = 3  # in a row, before a healthy instance is given up
AGAIN = 2.0  # seconds until the next look after a failure
BROKEN = 30.0  # and after a check that could not be made


@dataclass
class Watch:
    """One start of one instance; a new start is watched anew. ``due`` is on the monotonic clock."""

    instance: Instance
    started_at: str
    began: float
    due: float = 0.0
    readiness_due: float = 0.0
    failures: int = 0
    busy: bool = False


class Health(threading.Thread):
    def __init__(self, exits: Exits, logs: Logs) -> None:
        super().__init__(name="health", daemon=True)
        self.exits, self.logs = exits, logs
        self.watches: dict[str, Watch] = {}
        self.lock = threading.Lock()

    def watch(self, instance: Instance) -> None:
        with self.lock:
            known = self.watches.get(instance.container)
            if known is None or known.started_at != instance.started_at:
                self.watches[instance.container] = Watch(instance, instance.started_at, time.monotonic())

    def run(self) -> None:
        while True:
            now = time.monotonic()
            with self.lock:
                self.watches = {key: each for key, each in self.watches.items() if _current(each)}
                due = [
                    each for each in self.watches.values() if not each.busy and min(each.due, each.readiness_due) <= now
                ]
                for watch in due:
                    watch.busy = True
            for watch in due:
                # A thread of its own: one team's slow instances must not hold up another's checks.
                threading.Thread(target=self._look, args=(watch,), daemon=True, name="check").start()
            time.sleep(TICK)

    def _look(self, watch: Watch) -> None:
        try:
            if watch.due <= time.monotonic():
                self._check_health(watch)
            if watch.readiness_due <= time.monotonic():
                self._check_readiness(watch)
        except Exception:  # labels that cannot be read, for one: it is this instance's trouble alone
            log.exception("Instance %s could not be checked.", watch.instance.guid)
            watch.due = watch.readiness_due = time.monotonic() + BROKEN
        finally:
            watch.busy = False

    def _check_health(self, watch: Watch) -> None:
        instance, check = watch.instance, watch.instance.health
        wrong = passes(check, instance)
        if not _current(watch):
            return
        if not alive(instance.pid, instance.container):
            watch.due = time.monotonic() + AGAIN  # it has ended, and how is the engine's to tell
            return
        instance.seen = time.time_ns()
        waited = time.monotonic() - watch.began
        if not wrong:
            watch.failures = 0
            watch.due = time.monotonic() + check.interval
            if not instance.healthy:
                self._became_healthy(watch)
        elif instance.healthy:
            watch.failures += 1
            watch.due = time.monotonic() + min(AGAIN, check.interval)
            if watch.failures >= FAILURES:
                self._give_up(watch, wrong, f"Liveness check failed {FAILURES} times in a row.")
        elif waited >= check.timeout:
            self._give_up(watch, wrong, f"Timed out after {check.timeout}s: health check never passed.")
        else:
            watch.due = time.monotonic() + _patience(watch)

    def _check_readiness(self, watch: Watch) -> None:
        instance, check = watch.instance, watch.instance.readiness
        ready = instance.healthy and (check.type == "process" or not passes(check, instance))
        if not instance.healthy:
            watch.readiness_due = watch.due
        elif ready or instance.ready:
            watch.readiness_due = time.monotonic() + check.interval
        else:
            watch.readiness_due = time.monotonic() + _patience(watch)
        if _current(watch) and ready != instance.ready:
            instance.ready = ready
            self.exits.remember(instance)

    def _became_healthy(self, watch: Watch) -> None:
        instance = watch.instance
        instance.set_healthy(True)
        instance.ready = instance.readiness.type == "process"
        watch.readiness_due = 0.0
        self.exits.remember(instance)
        if not instance.one_off:
            self.logs.say(instance.app, "CELL", instance.index, "Container became healthy")

    def _give_up(self, watch: Watch, wrong: str, why: str) -> None:
        instance = watch.instance
        watch.due = watch.readiness_due = float("inf")
        instance.unhealthy, instance.ready = True, False
        self.logs.say(instance.app, "HEALTH", instance.index, wrong, stream="ERR")
        self.logs.say(instance.app, "CELL", instance.index, f"{why} Stopping the instance.", stream="ERR")
        threading.Thread(target=end, args=(instance.pid, instance.container), daemon=True).start()


def _patience(watch: Watch) -> float:
    """Look often while it is likely to come up, seldom after that."""
    return 0.25 if time.monotonic() - watch.began < 10 else 1.0


def _current(watch: Watch) -> bool:
    return watch.instance.running and watch.instance.started_at == watch.started_at and not watch.instance.ending
