"""All events that a filter asks for as CSV or JSON Lines, made while they are sent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts.models import AuditEvent, EventQuerySet, User
from paas.lib.errors import NotAuthorized
from tenants.details import details_of
from tenants.event_forms import EventFilter
from tenants.events import Found, Mark, find
from tenants.wording import words_for

AT_ONCE = 1000
Sources = Callable[[User], Collection[EventQuerySet]]  # raises where the reader may not (any more) read them
COLUMNS = (
    "time", "actor", "actor_type", "actor_guid", "what", "type", "target", "target_type", "target_guid", "space",
    "space_guid", "organization", "organization_guid", "door", "address", "via", "details", "guid",
)  # fmt: skip


def _csv(events: Iterable[AuditEvent]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_harmless(value) for value in _cells(event)] for event in events)
    return text.getvalue()


def _cells(event: AuditEvent) -> tuple[str, ...]:
    return (
        event.created_at.isoformat(), event.actor_name, event.actor_type, event.actor_guid, words_for(event),
        event.type, event.target_name, event.target_type, event.target_guid, event.space_name, event.space_guid,
        event.organization_name, event.organization_guid, event.door, event.address, event.via,
        "; ".join(details_of(event.data)), event.guid,
    )  # fmt: skip


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) or text.startswith(("\t", "\r")) else text


def _json_lines(events: Iterable[AuditEvent]) -> str:
    return "".join(f"{json.dumps(_told(event), ensure_ascii=False)}\n" for event in events)


def _told(event: AuditEvent) -> dict[str, Any]:
    return {
        "guid": event.guid,
        "created_at": event.created_at.isoformat(),
        "type": event.type,
        "what": words_for(event),
        "actor": {"guid": event.actor_guid, "type": event.actor_type, "name": event.actor_name},
        "target": {"guid": event.target_guid, "type": event.target_type, "name": event.target_name},
        "space": {"guid": event.space_guid, "name": event.space_name} if event.space_guid else None,
        "organization": (
            {"guid": event.organization_guid, "name": event.organization_name} if event.organization_guid else None
        ),
        "door": event.door,
        "address": event.address,
        "via": event.via,
        "data": event.data,
    }


# Name -> (content type, what comes first, how events are written)
FORMATS: dict[str, tuple[str, str, Callable[[Iterable[AuditEvent]], str]]] = {
    "csv": ("text/csv; charset=utf-8", ",".join(COLUMNS) + "\r\n", _csv),
    "jsonl": ("application/jsonl; charset=utf-8", "", _json_lines),
}


def answer(reader: User, sources: Sources, asked: EventFilter, *, format: str, name: str) -> StreamingHttpResponse:
    """Answer with a file of everything that fits; refuse at once who may not read it."""
    sources(reader)
    content_type, head, write = FORMATS[format]
    day = timezone.now().date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="{name}-events-{day}.{format}"'}
    return StreamingHttpResponse(
        _pieces(reader, sources, asked, head, write), content_type=content_type, headers=headers
    )


async def _pieces(
    reader: User, sources: Sources, asked: EventFilter, head: str, write: Callable[[Iterable[AuditEvent]], str]
) -> AsyncIterator[bytes]:
    yield head.encode()
    onward: Mark | None = None
    while True:
        found = await sync_to_async(_more)(reader, sources, asked, onward)
        yield write(found.events).encode()
        onward = found.onward
        if onward is None:
            return


def _more(reader: User, sources: Sources, asked: EventFilter, onward: Mark | None) -> Found:
    """The next events, for whoever the reader is by now: who loses the right meanwhile gets no more."""
    now = User.objects.filter(pk=reader.pk, is_active=True).first()
    if now is None:
        raise NotAuthorized()
    now.authority = reader.authority
    return find(sources(now), asked, before=onward, most=AT_ONCE)
