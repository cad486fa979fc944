"""What is kept of an instance, in words: whether its backups can be restored, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from services.actions.restoring import TIME_OF
from services.models import Plan, Repository, RestoreProof, ServiceInstance

LONG_AGO = timedelta(days=2)  # of a proof: one follows each day's backup
GOES_ON = "The service itself goes on working."
FAILS = (
    f"{GOES_ON} The platform tries again by itself, every few minutes. If it is red in an hour, tell the platform team."
)
BROKEN = (
    f"{GOES_ON} Back up now: a new backup is tried within the hour. Until a restore succeeds, keep a copy of your own "
    "somewhere else. The managers of the organization have been written to."
)
UNTRIED = "It is tried again by itself, every few minutes."


@dataclass(frozen=True)
class Safety:
    """``words`` is the one line of it, ``tag`` the shortest; ``problem`` says why not and ``advice`` what to do."""

    tag: str
    kind: str
    words: str
    problem: str = ""
    advice: str = ""

    @property
    def bad(self) -> bool:
        return self.kind == "failed"


def repositories(user: User) -> QuerySet[Repository]:
    """Those that the user sees, with what pages tell of them and no secret."""
    joined = ("space__organization__quota", "space__quota", "proof", "instance")
    secret = [f"instance__{name}" for name in ("credentials", "parameters", "syslog_drain_url", "wish")]
    rows = Repository.objects.visible_to(user).select_related(*joined).prefetch_related("backups")
    return rows.defer("key", *secret, "instance__route_service_url")


def has_backups(plan: Plan | None) -> bool:
    return plan is not None and bool(plan.broker_metadata.get("backups"))


def to_the_second(plan: Plan | None) -> bool:
    """Whether what is made of the plan can begin with another's state at any moment."""
    return plan is not None and TIME_OF in (plan.create_schema.get("properties") or {})


def of(user: User, instance: ServiceInstance) -> Repository | None:
    return repositories(user).filter(instance=instance).first() if has_backups(instance.plan) else None


def safety(row: Repository) -> Safety:
    proof: RestoreProof | None = getattr(row, "proof", None)
    if row.error:
        return Safety("backups fail", "failed", _newest(row), row.error, FAILS)
    if proof is None or not (proof.proved_at or proof.failed_at or proof.error):
        words = "The first backup is tried minutes after it was taken" if row.newest else "The first backup is to come"
        return Safety("not proved yet", "waiting", words)
    if proof.failed_at:
        words = f"The restore that failed: {clock(proof.failed_at)} (UTC)"
        return Safety("restore failed", "failed", words, proof.error, BROKEN)
    words = proved(proof)
    if proof.error:
        return Safety("not tried yet", "unknown", words, proof.error, UNTRIED)
    if timezone.now() - (proof.proved_at or timezone.now()) > LONG_AGO:
        return Safety("proved long ago", "unknown", words)
    return Safety("proved", "ready", words)


def _newest(row: Repository) -> str:
    newest = row.newest
    return f"Last backup: {clock(newest.ended_at)} (UTC)" if newest else "There is no backup yet"


def proved(proof: RestoreProof) -> str:
    """Return when the newest state was last restored as a test, and how long that took."""
    if proof.proved_at is None:
        return "No restore is proved yet"
    return f"Last restore proved: {clock(proof.proved_at)} (UTC), {lasting(proof.seconds or 0)}"


def clock(at: datetime) -> str:
    """Return "02:14 today", "23:05 yesterday", "14:30 on 3 March": in UTC."""
    at, today = at.astimezone(UTC), timezone.now().astimezone(UTC).date()
    days = (today - at.date()).days
    if days in (0, 1):
        return f"{at:%H:%M} {('today', 'yesterday')[days]}"
    return f"{at:%H:%M} on {at.day} {at:%B}" + (f" {at.year}" if at.year != today.year else "")


def lasting(seconds: float) -> str:
    """Return "41 s", "2 min 05 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def until(row: Repository) -> datetime:
    """Return the newest moment that can be restored: now, its end, or when its log was last put away."""
    newest = row.newest.ended_at if row.newest else timezone.now()
    if row.deleted_at:
        return row.deleted_at
    return max(row.archived_at or newest, newest) if row.error else timezone.now()


def progress(row: Repository) -> dict[str, Any]:
    """What changes while a backup that was asked for is taken."""
    going_on = bool(row.wanted_at or row.begun_at)
    return {"going_on": going_on, "begun_at": row.begun_at, "stage": stage(row)}


def stage(row: Repository) -> str:
    """A word that changes with every state: a page that was made with another is out of date."""
    return "-".join(
        str(int(at.timestamp())) if at else "0"
        for at in (row.wanted_at, row.begun_at, row.newest and row.newest.ended_at)
    )
