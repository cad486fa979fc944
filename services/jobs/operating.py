"""One operation of an instance or a binding, step by step: the broker is called, polled, and what came of it is written."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from paas.lib.queue import Lease, LeaseLost
from services import outside
from services.actions.binding import lock_app
from services.brokers.base import (
    Accepted,
    Broker,
    BrokerError,
    Done,
    OperationInProgress,
    Outcome,
    Progress,
    Refused,
    RequestRejected,
    Unknown,
)
from services.jobs import ending
from services.models import Binding, Operation, ServiceInstance

log = logging.getLogger(__name__)

POLLED_FOR = timedelta(days=7)  # where neither the plan nor the broker says for how long
SOONEST, LATEST = 1.0, 60.0  # seconds between polls where the broker does not say
SLOWEST_CLEARING = 3600.0  # seconds between tries to remove what a broker does not let go of
PATIENCE = timedelta(seconds=10)  # in which a deletion that failed is tried again before it is called failed
CREATE, UPDATE, DELETE = Operation.Type.CREATE, Operation.Type.UPDATE, Operation.Type.DELETE
INITIAL, IN_PROGRESS = Operation.State.INITIAL, Operation.State.IN_PROGRESS


class Superseded(Exception):
    """Somebody asked for another operation meanwhile; what came of this one is no longer of interest."""


class Work(ABC):
    """The work on one row. ``deadline`` is set once the broker has accepted: from then on it is polled, not called.

    A row that is in progress without one was sent to the broker by a worker that died before it could write down the
    answer: the call is made again, and whatever it answers, the first one may have been heard.
    """

    def __init__(self, lease: Lease, row: Any, plan: Any) -> None:
        self.lease, self.row, self.plan = lease, row, plan
        # What nobody sees any more, or what a creation that failed may have left.
        self.clearing = bool(row.removed_at or (row.orphan and not row.busy))
        self.broker: Broker = outside.broker(plan.offering.broker)

    @abstractmethod
    def crossing(self) -> Any:
        """The row as it crosses the seam."""

    @abstractmethod
    def ask(self) -> Outcome:
        """Call the broker for a creation or an update."""

    def waits(self) -> bool:
        """Whether something else has to be there before the broker is called; fails the operation if that never will be."""
        return False

    @abstractmethod
    def is_bare(self) -> bool:
        """Whether nothing is left that must be removed before the row; fails the deletion if that is stuck."""

    @abstractmethod
    def done(self, fresh: Any, done: Done) -> None:
        """Write what a creation or an update that succeeded means, to the locked row."""

    @abstractmethod
    def gone(self, fresh: Any) -> None:
        """Write what a deletion that succeeded means; the row goes afterwards."""

    def run(self) -> None:
        try:
            if self.row.deadline:
                self._poll()
            elif self.clearing:
                self._clear()
            elif self.row.busy and not self.waits():
                self._call()
        except Superseded:
            log.info("%s: another operation was asked for meanwhile.", self.row)

    # The three steps ---------------------------------------------------------------------------------------------

    def _call(self) -> None:
        row = self.row
        if row.operation_type == DELETE and not self.is_bare():
            return
        asked_before = row.operation_state == IN_PROGRESS
        with self._locked() as fresh:
            self._note(fresh, operation_state=IN_PROGRESS)
        outcome = self._outcome()
        match outcome:
            case Done():
                self._succeed(outcome)
            case Accepted():
                self._accept(outcome)
            case Refused(error=OperationInProgress()) if timezone.now() < row.operation_created_at + self._longest():
                with self._locked() as fresh:
                    self._note(fresh, operation_state=IN_PROGRESS if asked_before else INITIAL)
                self.lease.again(self._pause())
            case Refused():
                self._fail(outcome.error.detail, orphan=asked_before)
            case Unknown():
                if row.operation_type == DELETE and timezone.now() < row.operation_created_at + PATIENCE:
                    self.lease.again(2.0)
                    return
                self._fail(outcome.error.detail, orphan=True)

    def _poll(self) -> None:
        row = self.row
        try:
            with self.lease.beating():
                progress = self.broker.poll(self.crossing(), row.operation_key)
        except RequestRejected as error:
            state = "failed" if row.operation_type == DELETE or self.clearing else "in progress"
            progress = Progress(state, error.detail)  # type: ignore[arg-type]
        except BrokerError as error:
            log.warning("%s: the broker was polled in vain; it is polled again.", row)
            progress = Progress("in progress", row.operation_description or error.detail)
        if progress.state == "in progress" and timezone.now() >= row.deadline:
            progress = Progress("failed", "The broker did not finish in the time that it may take.")
        if progress.state == "in progress":
            with self._locked() as fresh:
                told = {} if self.clearing else {"operation_description": progress.description}
                self._note(fresh, **told)
            self.lease.again(self._pause(progress.retry_after))
        elif self.clearing:
            self._cleared(progress)
        elif progress.state == "succeeded" and self._lacks(progress):
            self._fail("The broker made the binding and does not tell its credentials.", orphan=True)
        elif progress.state == "succeeded" or (progress.state == "gone" and row.operation_type == DELETE):
            self._succeed(Done(bound=progress.bound))
        else:
            unusable = "" if progress.usable else " The broker says that it cannot be used any more."
            self._fail((progress.description or "The broker does not say why.") + unusable, orphan=True)

    def _lacks(self, progress: Progress) -> bool:
        return isinstance(self.row, Binding) and self.row.operation_type == CREATE and progress.bound is None

    def _clear(self) -> None:
        if self.row.removed_at and not self.is_bare():
            return
        outcome = self._outcome(remove=True)
        match outcome:
            case Done():
                self._cleared(Progress("gone"))
            case Accepted():
                with self._locked() as fresh:
                    deadline = timezone.now() + self._longest()
                    self._note(fresh, operation_key=outcome.operation, deadline=deadline)
                self.lease.again(self._pause(outcome.retry_after))
            case Refused() | Unknown():
                self._cleared(Progress("failed", outcome.error.detail))

    # What comes of them ------------------------------------------------------------------------------------------

    def _outcome(self, *, remove: bool = False) -> Outcome:
        by = self.row.asked_by.guid if self.row.asked_by else ""
        self.by = by
        try:
            with self.lease.beating():
                if remove or self.row.operation_type == DELETE:
                    return self.broker.remove(self.crossing(), by=by)
                return self.ask()
        except BrokerError as error:
            return Unknown(error)

    def _accept(self, accepted: Accepted) -> None:
        with self._locked() as fresh:
            if accepted.dashboard_url is not None and hasattr(fresh, "dashboard_url"):
                fresh.dashboard_url = accepted.dashboard_url
            deadline = timezone.now() + self._longest()
            self._note(fresh, operation_key=accepted.operation, deadline=deadline)
            ending.polling(fresh)
        self.lease.again(self._pause(accepted.retry_after))

    def _succeed(self, done: Done) -> None:
        with self._locked() as fresh:
            if fresh.operation_type == DELETE:
                self.gone(fresh)
                ending.finished(fresh)
                fresh.delete()
                return
            self.done(fresh, done)
            end = {"operation_state": Operation.State.SUCCEEDED, "wish": None, "orphan": False}
            self._note(fresh, operation_description="", operation_key="", deadline=None, **end)
            ending.finished(fresh)

    def _fail(self, why: str, *, orphan: bool) -> None:
        """Write that the operation failed; of a creation that may have left something, the rest is cleared away."""
        with self._locked() as fresh:
            if fresh.operation_type == CREATE and orphan:
                fresh.orphan = True
                self.lease.again(0)
            end = {"operation_state": Operation.State.FAILED, "operation_description": why}
            wish = fresh.wish if fresh.operation_type == DELETE else None
            self._note(fresh, operation_key="", deadline=None, wish=wish, **end)
            ending.finished(fresh, error=why)

    def _cleared(self, progress: Progress) -> None:
        if progress.state not in ("gone", "succeeded"):
            log.warning("%s could not be removed from its broker; it is tried again.", self.row)
            with self._locked() as fresh:
                told = {"operation_description": progress.description} if fresh.removed_at else {}
                if fresh.removed_at:
                    fresh.operation_state = Operation.State.FAILED
                    ending.stuck(fresh)
                self._note(fresh, operation_key="", deadline=None, **told)
            age = (timezone.now() - self.row.operation_created_at).total_seconds()
            self.lease.again(min(max(age / 4, 2.0), SLOWEST_CLEARING))
            return
        with self._locked() as fresh:
            if fresh.removed_at:
                ending.left(fresh)
                fresh.delete()
            else:
                fresh.orphan = False
                self._note(fresh, operation_key="", deadline=None)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        """The row, fresh and locked, while the lease is held and nobody has asked for another operation."""
        with transaction.atomic():
            if isinstance(self.row, Binding):
                lock_app(self.row)
            rows = type(self.row)._default_manager.filter(pk=self.row.pk, lease_number=self.lease.number)
            fresh = rows.select_for_update(of=("self",)).first()
            if fresh is None:
                raise LeaseLost(f"{self.row} was adopted by another worker or is gone.")
            if fresh.operation_created_at != self.row.operation_created_at:
                raise Superseded()
            yield fresh

    def _note(self, fresh: ServiceInstance | Binding, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(fresh, name, value)
            setattr(self.row, name, value)
        fresh.operation_updated_at = timezone.now()
        kept = ("lease_owner", "lease_until", "lease_number", "attempts", "due_at", "last_error", "id")
        names = [field.name for field in fresh._meta.concrete_fields if field.name not in kept]
        fresh.save(update_fields=names)

    def _longest(self) -> timedelta:
        said = self.plan.maximum_polling_duration
        return timedelta(seconds=said) if said else POLLED_FOR

    def _pause(self, asked: float | None = None) -> float:
        """Seconds until the next poll: as the broker says, else more of them the longer it takes."""
        if asked is not None:
            return max(asked, SOONEST)
        age = (timezone.now() - self.row.operation_created_at).total_seconds()
        return min(max(age / 5, SOONEST), LATEST)
