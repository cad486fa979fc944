"""Looking at instances, and writing down what was seen: what somebody saw before another one wrote is history.

Several workers look at the same instances at once. None may take an instance out of the router that has become ready
since it looked; what is not written for that is seen again a moment later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps import outside
from apps.jobs.verdict import told
from apps.models import Instance
from paas.seams.runtimes.base import Observation

FIELDS = ["state", "ready", "ever_ready", "since", "seen_at", "crashes", "details", "noted_at"]


@dataclass(frozen=True)
class Look:
    """What was seen, by instance guid, from ``began`` on: by the database's clock, which all workers share."""

    began: datetime
    seen: Mapping[str, Observation]


def look(apps: Collection[str] | None = None) -> Look:
    """Observe every instance (of those apps, by guid)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        began = cursor.fetchone()[0]
    return Look(began, {each.instance: each for each in outside.runtime().observe(apps)})


def note(rows: Sequence[Instance], made: Look) -> bool:
    """Save what was seen of each instance; return whether the set of those that may get requests changed.

    Left alone are rows that were written since the look began, or are being written, and those that are being stopped.
    ``rows`` are as they are saved afterwards.
    """
    news = {row.pk: row for row in rows if _differs(row, made.seen.get(row.guid))}
    if not news:
        return False
    ready_changed, changed = False, []
    with transaction.atomic():
        for fresh in Instance.objects.select_for_update(skip_locked=True).filter(pk__in=news):
            row, found = news[fresh.pk], made.seen.get(fresh.guid)
            for field in FIELDS:
                setattr(row, field, getattr(fresh, field))
            if row.state != "stopping" and row.noted_at < made.began and _differs(row, found):
                ready_changed |= row.ready != bool(found and found.ready)
                _take(row, found)
                changed.append(row)
        if changed:
            Instance.objects.bulk_update(changed, FIELDS)
    return ready_changed


def _take(row: Instance, found: Observation | None) -> None:
    state, row.ready, row.crashes, row.details = _shown(row, found)
    if row.state != state:
        row.since = found.since if found else timezone.now()
    row.state = state
    row.ever_ready |= row.ready
    row.seen_at = found.seen_at if found else row.seen_at
    row.noted_at = Now()


def _differs(row: Instance, found: Observation | None) -> bool:
    return (row.state, row.ready, row.crashes, row.details) != _shown(row, found)


def _shown(row: Instance, found: Observation | None) -> tuple[str, bool, int, str]:
    if found is None:
        return "unknown", False, row.crashes, row.details
    details = told(row, found.exit) if found.exit and not found.ready else row.details
    return found.state, found.ready, found.crashes, details
