"""Reading the record: who may see which events, and a page of those that a filter asks for, newest first.

However many events there are, a page costs the same: pages go on from the last event shown, and what no index can
find is looked for among so many events at a time, going back as far as the reader asks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q

from accounts.models import AuditEvent, EventQuerySet, User
from tenants.access import organizations_with, spaces_with
from tenants.details import details_of
from tenants.event_forms import KINDS, EventFilter, Kinds
from tenants.event_links import links
from tenants.models import sees_all
from tenants.wording import around

PER_PAGE = 50
LOOKED_AT = 20_000  # events that one page looks through for those that fit
DOORS = {"console": "console", "api": "API"}
Mark = tuple[datetime, int]  # where an event stands in the order of events


def visible_to(user: User) -> EventQuerySet:
    """The events of the organizations and spaces whose record is the user's to read.

    Whoever may read an organization's record reads that of its spaces, those that are gone among them.
    """
    events: EventQuerySet = AuditEvent.objects.all()
    if sees_all(user, "audit.read"):
        return events
    # As lists, so that the indexes on both columns serve
    organizations = list(organizations_with(user, "audit.read").values_list("guid", flat=True))
    others = spaces_with(user, "audit.read").exclude(organization__guid__in=organizations)
    spaces = list(others.values_list("guid", flat=True))
    return events.filter(Q(organization_guid__in=organizations) | Q(space_guid__in=spaces))


def reads_anywhere(user: User) -> bool:
    """Whether there is any place whose record is the user's to read."""
    places = (organizations_with(user, "audit.read"), spaces_with(user, "audit.read"))
    return sees_all(user, "audit.read") or any(found.exists() for found in places)


def about_person(reader: User, guid: str) -> list[EventQuerySet]:
    """What somebody did, and what others did to them, where the reader may read about it."""
    seen = visible_to(reader)
    return [seen.filter(actor_guid=guid), seen.filter(target_guid=guid).exclude(actor_guid=guid)]


@dataclass(frozen=True)
class Found:
    """Events, newest first, and the mark to go on from, if there may be more."""

    events: list[AuditEvent]
    onward: Mark | None


def find(sources: Collection[EventQuerySet], asked: EventFilter, *, before: Mark | None, most: int) -> Found:
    """Return up to so many events of the sources (none of them in two) that fit; two queries for each source."""
    ranged = [_older(source.filter(asked.days()), before) for source in sources]
    narrowing = asked.conditions()
    ends = [end for source in ranged if narrowing and (end := _end(source))]
    last = max(ends, default=None)
    events: list[AuditEvent] = []
    for source in ranged:
        looked_at = source.filter(_from(last)) if last else source
        events += looked_at.filter(narrowing).newest()[: most + 1]
    events.sort(key=_mark, reverse=True)
    return Found(events, last) if len(events) <= most else Found(events[:most], _mark(events[most - 1]))


def _mark(event: AuditEvent) -> Mark:
    return event.created_at, event.pk


def _older(events: EventQuerySet, mark: Mark | None) -> EventQuerySet:
    if mark is None:
        return events
    at, pk = mark
    return events.filter(created_at__lte=at).exclude(created_at=at, pk__gte=pk)


def _from(mark: Mark) -> Q:
    at, pk = mark
    return Q(created_at__gte=at) & ~Q(created_at=at, pk__lt=pk)


def _end(events: EventQuerySet) -> Mark | None:
    """The last event that is looked at, if there are others behind it."""
    marks = list(events.newest().values_list("created_at", "pk")[LOOKED_AT - 1 : LOOKED_AT + 1])
    return marks[0] if len(marks) == 2 else None


@dataclass(frozen=True)
class Row:
    """One event as a page shows it; ``href`` and ``actor_href`` are empty where there is no page to go to."""

    at: datetime
    actor: str
    actor_href: str
    before: str
    target: str
    after: str
    href: str
    organization: str
    space: str
    details: list[str]
    way: str


@dataclass(frozen=True)
class EventPage:
    """One page of events and its filter. ``older`` and ``newest`` are query strings, or None where there is nothing.

    ``back_to`` is when the last event happened that was looked at, where not all were.
    """

    rows: list[Row]
    form: EventFilter
    older: str | None
    newest: str | None
    back_to: datetime | None

    @property
    def filtered(self) -> bool:
        return bool(self.form.asked or self.newest is not None)

    @property
    def exports(self) -> list[tuple[str, str]]:
        return [(label, self.form.query(format=name)) for name, label in (("csv", "CSV"), ("jsonl", "JSON Lines"))]


def page(
    reader: User, sources: Collection[EventQuerySet], asked: Mapping[str, str], *, kinds: Kinds = KINDS
) -> EventPage:
    """Return the page that the query string asks for; as many queries whatever there is."""
    form = EventFilter(asked, kinds=kinds)
    before = _read_mark(asked.get("before", ""))
    found = find(sources, form, before=before, most=PER_PAGE)
    urls = links(reader, found.events)
    onward = found.onward
    return EventPage(
        rows=[row(event, urls) for event in found.events],
        form=form,
        older=form.query(before=f"{onward[0].isoformat()}_{onward[1]}") if onward else None,
        newest=form.query() if before else None,
        back_to=onward[0] if onward and len(found.events) < PER_PAGE else None,
    )


def row(event: AuditEvent, urls: Mapping[str, str]) -> Row:
    """Return the event in words."""
    before, target, after = around(event)
    return Row(
        at=event.created_at,
        actor="The platform" if event.actor_type == "system" else event.actor_name,
        actor_href=urls.get(event.actor_guid, ""),
        before=before,
        target=target,
        after=after,
        href=urls.get(event.target_guid, ""),
        organization="" if event.target_guid == event.organization_guid else event.organization_name,
        space="" if event.target_guid == event.space_guid or event.target_type == "user" else event.space_name,
        details=details_of(event.data),
        way=way(event),
    )


def way(event: AuditEvent) -> str:
    """How somebody did it: "API from 192.0.2.7, token ci"."""
    door = f"{DOORS[event.door]} from {event.address}" if event.door in DOORS and event.address else event.door
    return ", ".join(part for part in (door, event.via) if part)


def _read_mark(text: str) -> Mark | None:
    """Read "moment_key"; what nobody was sent is no mark."""
    at, _, pk = text.rpartition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment.astimezone(UTC), int(pk)) if moment.tzinfo and len(pk) < 19 else None
    except (ValueError, OverflowError):
        return None
