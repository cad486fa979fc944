"""A worker that dies at the next call that no worker has died at yet, and what is outside as it sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone

from paas.lib.queue import work
from services import outside
from services.brokers.engine import plans
from services.brokers.engine.base import Site
from services.brokers.engine.postgres import Postgres
from services.models import Operation
from tests.cell.machine import Machine, wait_until
from tests.cell.relay import Relay

AGENT = ("create_disk", "create_volume", "open_ways", "prune", "forget")
ENGINE = ("create_container", "start")
LOOK = 0.5  # seconds
WRITES = ("INSERT", "UPDATE", "DELETE")
# What differs from one call to the next that is the same: guids, what hides a password, times.
VARIES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,64}|SCRAM-SHA-256[^']*")


class Killed(BaseException):
    """The worker is gone from one moment to the next: nobody catches it, and it cleans up nothing."""


class Life:
    """Ends, while it is ``mortal``, at the first call of a kind that no worker before has ended at.

    What counts is what changes something: on the machine, in a server, or (unless ``writes`` is false) in the
    platform's own database.
    """

    def __init__(self) -> None:
        self.mortal, self.writes = False, True
        self.deaths: list[str] = []

    def spend(self, call: str) -> None:
        call = VARIES.sub("...", call)
        if self.mortal and call not in self.deaths:
            self.deaths.append(call)
            raise Killed(call)

    def mend(self) -> None:
        """Put right what else went wrong with the worker: nothing."""

    def writing(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.writes and sql.startswith(WRITES):
            states = [str(each) for each in params or () if each in Operation.State.values]
            self.spend(" ".join([sql.partition(" WHERE ")[0], *states]))
        return execute(sql, params, many, context)


class Outage(Life):
    """Goes on, and the engine is stopped instead, until the worker has ended."""

    def __init__(self, relay: Relay, machine: Machine) -> None:
        super().__init__()
        self.relay, self.machine, self.writes = relay, machine, False
        self.away = False

    def spend(self, call: str) -> None:
        if self.away or not call.startswith((*ENGINE, "prune")):
            return
        try:
            super().spend(call)
        except Killed:
            self.away = True
            self.relay.close()

    def mend(self) -> None:
        if self.away:
            self.away = False
            self.relay.open()
            wait_until(lambda: self.machine.problems() == [], "the agent to be well again")


class Watched:
    """Something outside: these calls of it are counted, and all others are passed on."""

    def __init__(self, outside: Any, life: Life, *calls: str) -> None:
        self._outside, self._life, self._calls = outside, life, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._outside, name)
        if name not in self._calls:
            return found

        def call(*given: Any, **named: Any) -> Any:
            self._life.spend(f"{name} {given[0] if given else named['name']}")
            return found(*given, **named)

        return call


class WatchedPostgres(Postgres):
    def __init__(self, more: Any, life: Life) -> None:
        super().__init__(more)
        self.life = life

    def _connect(self, site: Site, database: str) -> Any:
        return Watched(super()._connect(site, database), self.life, "execute")


@contextmanager
def watched(life: Life) -> Iterator[Life]:
    """Let the platform's own broker see all that is outside through the life of its worker."""
    broker = outside.own_services()
    runtime: Any = broker.runtime
    runtime.cell = Watched(runtime.cell, life, *AGENT)
    runtime._client = Watched(runtime.client, life, *ENGINE)
    postgres = broker.services[plans.identity("postgres")]
    broker.servers[postgres.id] = WatchedPostgres(postgres.more, life)
    with connection.execute_wrapper(life.writing):
        yield life


def outlive(life: Life, path: str, row: Any, over: Callable[[], Any], seen: Callable[[str], None]) -> list[str]:
    """Let one worker after the other die, each a call later, until one lives to the end; return where they died."""
    life.deaths = []
    while not over():
        if death := dies(life, path, row):
            seen(death)
        else:
            time.sleep(LOOK)  # what is waited for is not made faster by asking
    return life.deaths


def dies(life: Life, path: str, row: Any) -> str:
    """Let the lease of whoever died before run out, and a worker do what is due; return where it dies, "" if it does not."""
    type(row).objects.filter(pk=row.pk).update(due_at=timezone.now(), lease_until=None)
    before = len(life.deaths)
    life.mortal = True
    try:
        work(path, row.pk)
    except Killed:
        pass
    finally:
        life.mortal = False
        life.mend()
    return life.deaths[-1] if len(life.deaths) > before else ""
