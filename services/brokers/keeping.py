"""Backups of the platform's own services: taken, proved, and made into new instances."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paas.seams.runtimes.base import Observation, Workload

from .base import Instance, Origin
from .engine.base import BackedUp, Backups, NotAllowed, NotReady, Wanted
from .engine.workload import RESTORE, restoring, store_name

if TYPE_CHECKING:
    from .container import ContainerBroker

PROVED = re.compile(r"proved: heartbeat ([0-9.]+), seconds ([0-9]+)")
PROOF = "proof"  # what is put behind the guid of the instance for the place where its backup is tried
WORDS = 3  # lines of what a restore last said that are passed on


@dataclass(frozen=True)
class Proof:
    """What a restore for nothing but proof told: the heartbeat that came back, and how long it took."""

    heartbeat: datetime
    seconds: int


class Keeping:
    """What a ``ContainerBroker`` does with backups. Each call may be made again."""

    def __init__(self, broker: ContainerBroker) -> None:
        self.broker = broker

    def take(self, instance: Instance, *, full: bool) -> None:
        """Begin a backup, unless one is under way; raise ``NotReady``."""
        self._server(instance).back_up(self.broker.site(instance), full=full)

    def look(self, instance: Instance) -> Backups:
        """Return what there is, and write a heartbeat on the way; raise ``NotReady``."""
        server, site = self._server(instance), self.broker.site(instance)
        server.beat(site)
        return server.backups(site)

    def forget(self, guid: str) -> None:
        """Remove an instance's backups for good."""
        self.broker.runtime.forget(store_name(guid))

    def write_last(self, instance: Instance) -> None:
        """Before an instance goes: leave a heartbeat, behind which a restore to the time of its end can stop."""
        with suppress(NotReady, NotAllowed):  # it may never have run
            server = self.broker.server(instance)
            if isinstance(server, BackedUp):
                server.beat(self.broker.site(instance))

    def restore(self, instance: Instance, origin: Origin) -> None:
        """Fill the instance's volume; raise ``NotReady`` until that is done, ``NotAllowed`` where it cannot be."""
        seen = self._seen(instance.guid)
        if seen and seen.process_type != RESTORE:
            return  # it was restored, and runs
        if seen is None:
            wanted = Wanted(origin.backup, origin.at)
            if not origin.backup:
                self._put_away(instance, origin)
            self.broker.runtime.apply(self._task(instance, origin, wanted))
        self.broker.wait(lambda: self._ended(instance.guid))
        self.broker.runtime.prune(instance.guid, ())

    def mark(self, instance: Instance) -> datetime:
        """Write a heartbeat that is in the store when this returns; raise ``NotReady``."""
        return self._server(instance).beat(self.broker.site(instance), kept=True)

    def prove(self, instance: Instance) -> Proof:
        """Restore the newest state to a place of its own and have the engine check it; ``NotReady`` until that is done.

        Nothing is left of it when this returns or raises ``NotAllowed``, whose sentence says what was wrong.
        """
        trial = replace(instance, guid=f"{instance.guid}-{PROOF}")
        try:
            if self._seen(trial.guid) is None:
                self.broker.runtime.forget(trial.guid)  # what a worker that died left behind
                task = self._task(trial, Origin(instance.guid, instance.cipher), Wanted())
                self.broker.runtime.apply(replace(task, command=self._server(instance).prove))
            self._ended(trial.guid)
            proof = self._proof(trial.guid)
        except NotAllowed:
            self.broker.clear(trial.guid)
            raise
        self.broker.clear(trial.guid)
        return proof

    def give_up(self, guid: str) -> None:
        """End a proof that may be under way; nothing is left of it."""
        self.broker.clear(f"{guid}-{PROOF}")

    def _put_away(self, instance: Instance, origin: Origin) -> None:
        """Have all that the source did until now in its store, as far as it still answers."""
        source = replace(instance, guid=origin.guid, cipher=origin.cipher, origin=None)
        with suppress(NotReady, NotAllowed):
            self.mark(source)

    def _task(self, instance: Instance, origin: Origin, wanted: Wanted) -> Workload:
        there, site = self.broker.workload(instance), self.broker.site(instance)
        return restoring(there, self._server(instance), site, source=origin.guid, cipher=origin.cipher, wanted=wanted)

    def _ended(self, guid: str) -> None:
        seen = self._seen(guid)
        if seen is None or seen.exit is None or seen.state != "stopped":
            raise NotReady("The backup is being restored.")
        if seen.exit.status:
            words = " ".join(seen.exit.last_lines[-WORDS:]) or seen.exit.reason
            raise NotAllowed(f"The backup could not be restored: {words}")

    def _proof(self, guid: str) -> Proof:
        for line in self.broker.runtime.read_log(guid, descending=True):
            if told := PROVED.fullmatch(line.text):
                return Proof(datetime.fromtimestamp(float(told[1]), UTC), int(told[2]))
        raise NotAllowed("The restored backup does not have the platform's heartbeat.")

    def _seen(self, guid: str) -> Observation | None:
        return self.broker.observation(guid)

    def _server(self, instance: Instance) -> BackedUp:
        server = self.broker.server(instance)
        if not isinstance(server, BackedUp):
            raise NotAllowed(f"There are no backups of {instance.name}: its kind of service has none.")
        return server
