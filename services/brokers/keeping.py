"""Backups of the platform's own services: taken, proved, and made into new instances."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paas.seams.runtimes.base import Observation, Workload

from .base import Instance, Origin
from .engine.base import BackedUp, Backups, Mark, NotAllowed, NotKept, NotReady, Site, Wanted
from .engine.depot import PROOF, Depot, store_name
from .engine.workload import RESTORE, restoring

if TYPE_CHECKING:
    from .container import ContainerBroker

log = logging.getLogger(__name__)

PROVED = re.compile(r"proved: heartbeat ([0-9.]+), seconds ([0-9]+)(?:, rows(.*))?")
LAST_PATIENCE = 3600  # seconds that a removal waits for a backup store that is away
WORDS = 3  # lines of what a restore last said that are passed on


@dataclass(frozen=True)
class Proof:
    """What a restore for nothing but proof told: the heartbeat that came back, and how long it took."""

    heartbeat: datetime
    seconds: int
    rows: tuple[str, ...] = ()


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
        self.broker.access.empty(guid)

    def write_last(self, instance: Instance, since: float) -> None:
        """Before an instance goes: leave what it can come back with; raise ``NotReady`` while that is being written.

        A store that is away is waited for, and a server that is well and busy, but not for ever ``since`` (seconds
        since 1970) the removal was asked for: from then on the instance goes with the backups that it has.
        """
        written, patient = True, time.time() < since + LAST_PATIENCE
        try:
            server, site = self.broker.server(instance), self.broker.site(instance)
            if isinstance(server, BackedUp) and site.depot:
                written = server.write_last(site)
        except NotReady as error:
            seen = self._seen(instance.guid)
            if patient and (isinstance(error, NotKept) or (seen and seen.ready)):
                raise NotKept(f"The last backup cannot be put away yet, and is tried again. {error.detail}") from error
            log.warning("%s goes without a last backup: %s", instance.name, error.detail)  # it may never have run
        except NotAllowed as error:
            log.info("%s goes without a last backup: %s", instance.name, error.detail)
        if not written:
            raise NotReady("The last backup is being taken.")

    def restore(self, instance: Instance, origin: Origin) -> None:
        """Fill the instance's volume; raise ``NotReady`` until that is done, ``NotAllowed`` where it cannot be."""
        seen = self._seen(instance.guid)
        if seen and seen.process_type != RESTORE:
            return  # it was restored, and runs
        if seen is None or seen.state == "starting":  # or made by a worker that died before it could start it
            wanted = Wanted(origin.backup, origin.at)
            if not origin.backup:
                self._put_away(instance, origin)
            there, source = self._places(instance, origin)
            files = self._server(instance).restore_files(there, source, wanted)
            self.broker.runtime.apply(self._task(instance, there, source, files))
        self.broker.wait(lambda: self._ended(instance.guid))
        self.broker.runtime.prune(instance.guid, ())

    def mark(self, instance: Instance) -> Mark:
        """Write a heartbeat that is in the store when this returns, and measure what is there; raise ``NotReady``."""
        return self._server(instance).mark(self.broker.site(instance))

    def prove(self, instance: Instance, mark: Mark) -> Proof:
        """Restore the mark to a place of its own and have the engine check it; ``NotReady`` until that is done.

        Nothing is left of it when this returns or raises ``NotAllowed``, whose sentence says what was wrong.
        """
        server = self._server(instance)
        trial = replace(instance, guid=f"{instance.guid}-{PROOF}")
        try:
            seen = self._seen(trial.guid)
            if seen is None:
                self.broker.runtime.forget(trial.guid)  # what a worker that died left behind
            if seen is None or seen.state == "starting":
                there, source = self._places(trial, Origin(instance.guid, instance.cipher))
                task = self._task(trial, there, source, server.proof_files(there, source, mark))
                self.broker.runtime.apply(replace(task, command=server.prove))
            self._ended(trial.guid)
            proof = self._proof(trial.guid)
            server.check(self.broker.site(instance), mark, proof.rows)
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
            self._server(source).beat(self.broker.site(source), kept=True)

    def _places(self, instance: Instance, origin: Origin) -> tuple[Site, Depot]:
        """Return where the instance is to be, and what it is to be filled from, with a key that may only read."""
        self.broker.addresses.take(instance.guid)
        access = self.broker.access
        return self.broker.site(instance), access.reader(access.depot(origin.guid, origin.cipher))

    def _task(self, instance: Instance, there: Site, source: Depot, files: Mapping[str, str]) -> Workload:
        workload = self.broker.workload(instance, there)
        return restoring(workload, self._server(instance), source=source, files=files)

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
                heartbeat = datetime.fromtimestamp(float(told[1]), UTC)
                return Proof(heartbeat, int(told[2]), tuple((told[3] or "").split()))
        raise NotAllowed("The restored backup does not have the platform's heartbeat.")

    def _seen(self, guid: str) -> Observation | None:
        return self.broker.observation(guid)

    def _server(self, instance: Instance) -> BackedUp:
        server = self.broker.server(instance)
        if not isinstance(server, BackedUp):
            raise NotAllowed(f"There are no backups of {instance.name}: its kind of service has none.")
        return server
