"""Pages of audit events as people read them: newest first, filtered, by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.db.models import Q

from accounts.models import AuditEvent, EventQuerySet
from tenants.wording import WORDS, details_of, words_for

PER_PAGE = 50
Kinds = Mapping[str, tuple[str, tuple[str, ...]]]  # what the filter sends -> (label, how types begin)
KINDS: Kinds = {
    "apps": ("Apps", ("audit.app.", "app.")),
    "routes": ("Routes and domains", ("audit.route", "audit.domain", "audit.app.map-route", "audit.app.unmap-route")),
    "services": ("Services", ("audit.service", "audit.user_provided_service_instance")),
    "roles": ("Roles", ("audit.user.",)),
    "places": ("Organization and spaces", ("audit.organization", "audit.space")),
}
APP_KINDS: Kinds = {
    "builds": ("Builds", ("audit.app.build", "audit.app.package", "audit.app.droplet", "audit.app.restage")),
    "deployments": ("Deployments", ("audit.app.deployment", "audit.app.revert")),
    "running": (
        "Starting, stopping and scaling",
        ("audit.app.start", "audit.app.stop", "audit.app.restart", "audit.app.process"),
    ),
    "crashes": ("Crashes", ("app.crash",)),
    "settings": ("Settings", ("audit.app.update", "audit.app.feature")),
}


@dataclass(frozen=True)
class Row:
    """One event: ``words`` is what the actor did, ``details`` what changed."""

    at: datetime
    actor: str
    words: str
    space: str
    details: list[str]


@dataclass(frozen=True)
class EventPage:
    """One page of events and its filter. ``older`` and ``newest`` are query strings, or None where there is nothing."""

    rows: list[Row]
    words: str
    kind: str
    kinds: list[tuple[str, str]]
    older: str | None
    newest: str | None

    @property
    def filtered(self) -> bool:
        return bool(self.words or self.kind or self.newest)


def page(events: EventQuerySet, asked: Mapping[str, str], *, kinds: Kinds = KINDS) -> EventPage:
    """Return the page that the query string (``q``, ``kind``, ``before``) asks for; one query."""
    words, kind = asked.get("q", "").strip().replace("\0", ""), asked.get("kind", "")
    kind = kind if kind in kinds else ""
    if words:
        events = events.filter(_about(words))
    if kind:
        events = events.filter(_begins(kinds[kind][1]))
    before = _cursor(asked.get("before", ""))
    if before:
        at, pk = before
        events = events.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=pk))
    found = list(events.newest()[: PER_PAGE + 1])
    kept = {name: value for name, value in (("q", words), ("kind", kind)) if value}
    last = found[PER_PAGE - 1] if len(found) > PER_PAGE else None
    older = {**kept, "before": f"{last.created_at.isoformat()}_{last.pk}"} if last else None
    return EventPage(
        rows=[row(event) for event in found[:PER_PAGE]],
        words=words,
        kind=kind,
        kinds=[(name, label) for name, (label, _) in kinds.items()],
        older=urlencode(older) if older else None,
        newest=urlencode(kept) if before else None,
    )


def row(event: AuditEvent) -> Row:
    """Return the event in words."""
    system = event.actor_type == "system"
    return Row(
        at=event.created_at,
        actor="The platform" if system else event.actor_name,
        words=words_for(event),
        space="" if event.target_guid == event.space_guid or event.type.startswith("audit.user.") else event.space_name,
        details=details_of(event.data),
    )


def _about(words: str) -> Q:
    """Events whose people, things or words hold the text."""
    types = [type for type, told in WORDS.items() if words.lower() in told]
    return (
        Q(actor_name__icontains=words)
        | Q(target_name__icontains=words)
        | Q(space_name__icontains=words)
        | Q(type__in=types)
    )


def _begins(prefixes: tuple[str, ...]) -> Q:
    any_of = Q()
    for prefix in prefixes:
        any_of |= Q(type__startswith=prefix)
    return any_of


def _cursor(text: str) -> tuple[datetime, int] | None:
    """Read "moment_key"; what nobody was sent is no cursor."""
    at, _, pk = text.rpartition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment.astimezone(UTC), int(pk)) if moment.tzinfo and len(pk) < 19 else None
    except (ValueError, OverflowError):
        return None
