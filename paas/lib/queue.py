"""Background work: claimed from rows under a lease; Celery only carries the hint that something is due."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from celery import Celery
from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

log = logging.getLogger(__name__)

broker = Celery("paas")  # every process that may hint has it; only ``paas.celery`` puts tasks on it
broker.config_from_object("django.conf:settings", namespace="CELERY")

LEASE = timedelta(seconds=20)  # a dead worker's work is adopted this long after its last heartbeat
BACKOFF = (1, 2, 5, 10, 20, 30)  # seconds before the next try after an unexpected error
LATE = timedelta(seconds=0.5)  # due for longer than this is what finds no free worker
STALE = 10  # seconds after which a hint of the sweep says nothing new: the next ones have been given


@dataclass(frozen=True)
class Job:
    """A job: ``run`` takes a lease; the rows of ``model`` with ``due_at`` in the past are its work."""

    path: str
    model: type[Model]
    queue: str
    run: Callable[[Lease], None]
    choose: Callable[[int], int] | None = None  # which row to take first when a hint names this one


JOBS: dict[str, Job] = {}


def job(
    path: str, *, model: type[Model], queue: str = "converge", choose: Callable[[int], int] | None = None
) -> Callable[[Callable[[Lease], None]], Job]:
    """Register a function as the job ``path``, which is also its import path."""

    def register(run: Callable[[Lease], None]) -> Job:
        JOBS[path] = Job(path, model, queue, run, choose)
        return JOBS[path]

    return register


class LeaseLost(Exception):
    """Somebody else adopted this work; whatever we still hold must not be written."""


class Lease:
    """The right to work on one row. Everything is saved through it, so that a late waker writes nothing."""

    def __init__(self, row: Model, number: int) -> None:
        self.row: Any = row
        self.pk = row.pk
        self.number = number
        self._due: Any = None
        self._why = ""

    def _mine(self) -> Any:
        return type(self.row)._default_manager.filter(pk=self.pk, lease_number=self.number)

    def save(self, **fields: Any) -> None:
        """Write named fields of the row; raise ``LeaseLost`` if the work was adopted or the row is gone."""
        if not self._mine().update(**fields):
            raise LeaseLost(f"{self.row} was adopted by another worker or is gone.")
        for name, value in fields.items():
            setattr(self.row, name, value)

    def heartbeat(self) -> None:
        self.save(lease_until=timezone.now() + LEASE)

    def held(self) -> bool:
        return self._mine().exists()

    def again(self, seconds: float) -> None:
        """Ask to be run again in so many seconds, unless somebody asks for earlier meanwhile."""
        self._due = timezone.now() + timedelta(seconds=seconds)

    def failed(self, why: str, *, again: float | None) -> None:
        """Keep why it did not work and count it as an attempt; run again in so many seconds, or never (None)."""
        self._why = why
        if again is not None:
            self.again(again)

    @contextmanager
    def beating(self) -> Any:
        """Keep the lease alive from a thread while one long call to an engine is under way."""
        stop = threading.Event()

        def beat() -> None:
            from django.db import connection

            while not stop.wait(LEASE.total_seconds() / 4):
                try:
                    self.heartbeat()
                except LeaseLost:
                    break
                except Exception:
                    log.warning("The heartbeat for %s failed; it is tried again.", self.row, exc_info=True)
                    connection.close_if_unusable_or_obsolete()  # a connection that broke stays broken
            connection.close()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def later(path: str, pk: int) -> None:
    """Hint, once the transaction has committed, that the row's job is due.

    The action has set the row's ``due_at``; a hint that gets lost is made up for by the sweep.
    """
    transaction.on_commit(lambda: hint(path, pk))


def hint(path: str, pk: int, *, seconds: float = 0, expires: float | None = None) -> None:
    """Tell a worker that the row's job is due, or will be in so many seconds."""
    import_module(path.rpartition(".")[0])
    when = {"countdown": seconds or None, "expires": expires}
    try:
        broker.send_task("paas.work", args=[path, pk], queue=JOBS[path].queue, retry=False, **when)
    except Exception as error:  # the broker is away: the sweep finds the row
        log.warning("Could not hint %s for %s (%s); the sweep will find it.", path, pk, error)


def claim(found: Job, pk: int) -> Lease | None:
    """Take the row if it is due and free, else return None."""
    with transaction.atomic():
        row: Any = (
            found.model._default_manager.due().select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
        )  # type: ignore[attr-defined]
        if row is None:
            return None
        row.lease_owner = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        row.lease_until = timezone.now() + LEASE
        row.lease_number += 1
        row.attempts += 1
        row.save(update_fields=["lease_owner", "lease_until", "lease_number", "attempts"])
    return Lease(row, row.lease_number)


def work(path: str, pk: int) -> bool:
    """Claim the row and run its job; return whether there was anything to do."""
    import_module(path.rpartition(".")[0])
    found = JOBS[path]
    lease = claim(found, found.choose(pk) if found.choose else pk)
    if lease is None:
        return False
    started_due = lease.row.due_at
    try:
        found.run(lease)
    except LeaseLost:
        log.info("%s: %s was adopted; nothing written.", path, lease.row)
        return True
    except Exception as error:
        if not lease.held():
            log.info(
                "%s: %s was adopted or is gone; what failed on the way no longer matters (%r).", path, lease.pk, error
            )
            return True
        wait = BACKOFF[min(lease.row.attempts, len(BACKOFF)) - 1]
        log.exception("%s failed on %s; next try in %s s.", path, lease.row, wait)
        _release(
            lease, started_due, timezone.now() + timedelta(seconds=wait), last_error=f"{type(error).__name__}: {error}"
        )
        return True
    outcome = {"last_error": lease._why} if lease._why else {"attempts": 0, "last_error": ""}
    _release(lease, started_due, lease._due, **outcome)
    if lease._due and lease._due <= timezone.now() + timedelta(seconds=30):
        hint(path, pk, seconds=max((lease._due - timezone.now()).total_seconds(), 0))
    return True


def _release(lease: Lease, started_due: Any, due: Any, **fields: Any) -> None:
    """Give the row back; a wish that came in meanwhile moved ``due_at``, and then stays due."""
    mine = lease._mine()
    if mine.filter(due_at=started_due).update(due_at=due, lease_until=None, lease_owner="", **fields):
        return
    if mine.update(lease_until=None, lease_owner="", **fields):
        for found in JOBS.values():
            if found.model is type(lease.row):
                hint(found.path, lease.pk)


def sweep(limit: int = 500) -> int:
    """Hint every due row; what Redis forgot or a dead worker left is picked up here."""
    count = 0
    for found in list(JOBS.values()):
        for pk in found.model._default_manager.due().order_by(F("due_at")).values_list("pk", flat=True)[:limit]:  # type: ignore[attr-defined]
            hint(found.path, pk, expires=STALE)
            count += 1
    return count


def others_wait(queue: str) -> bool:
    """Tell whether work of the queue is due that no worker is free for: a job that only waits gives way to it."""
    late = timezone.now() - LATE
    models = {found.model for found in JOBS.values() if found.queue == queue}
    return any(model._default_manager.due().filter(due_at__lte=late).exists() for model in models)  # type: ignore[attr-defined]
