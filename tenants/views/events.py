"""The pages of the record: of an organization, a space, a person and the platform; each of them as a file, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent, EventQuerySet, User
from paas.lib.errors import NotAuthorized, NotFound
from tenants import access, event_export, events, navigation
from tenants.event_forms import KINDS, EventFilter, Kinds
from tenants.views.places import organization_seen, space_seen

NOT_IN_FILES = re.compile(r"[^A-Za-z0-9._-]+")


def told(
    request: HttpRequest,
    sources: event_export.Sources,
    show: Callable[[events.EventPage], HttpResponse],
    *,
    name: str,
    kinds: Kinds = KINDS,
) -> HttpResponse | StreamingHttpResponse:
    """Answer with a page of the events, or with all of them as a file called after ``name``."""
    reader: Any = request.user
    format = request.GET.get("format", "")
    if format in event_export.FORMATS:
        asked = EventFilter(request.GET, kinds=kinds)
        file = NOT_IN_FILES.sub("-", name).strip("-") or "audit"
        return event_export.answer(reader, sources, asked, format=format, name=file)
    return show(events.page(reader, sources(reader), request.GET, kinds=kinds))


@login_required
@require_safe
def organization_events(request: HttpRequest, guid: str) -> HttpResponse | StreamingHttpResponse:
    """What was done in the organization and in its spaces, those that are gone among them."""
    user: Any = request.user
    found = organization_seen(user, guid)

    def sources(reader: User) -> Collection[EventQuerySet]:
        access.authorize(reader, "audit.read", found)
        return [AuditEvent.objects.filter(organization_guid=found.guid)]

    def show(page: events.EventPage) -> HttpResponse:
        shown = {
            "organization": found,
            "events": page,
            "may": access.verbs_held(user, found),
            "tabs": navigation.org_tabs(found, user, "organization_events"),
            "crumbs": [navigation.HOME],
        }
        return render(request, "tenants/organization_events.html", shown)

    return told(request, sources, show, name=found.name)


@login_required
@require_safe
def space_events(request: HttpRequest, guid: str) -> HttpResponse | StreamingHttpResponse:
    """What was done in the space."""
    user: Any = request.user
    found = space_seen(user, guid)

    def sources(reader: User) -> Collection[EventQuerySet]:
        access.authorize(reader, "audit.read", found)
        return [AuditEvent.objects.filter(space_guid=found.guid)]

    def show(page: events.EventPage) -> HttpResponse:
        shown = {
            "space": found,
            "organization": found.organization,
            "events": page,
            "may": access.verbs_held(user, found),
            "tabs": navigation.space_tabs(found, user, "space_events"),
            "crumbs": navigation.org_crumbs(found.organization),
        }
        return render(request, "tenants/space_events.html", shown)

    return told(request, sources, show, name=found.name)


@login_required
@require_safe
def person_events(request: HttpRequest, guid: str) -> HttpResponse | StreamingHttpResponse:
    """What a person or a robot did and what was done to them, wherever the reader may read the record."""
    user: Any = request.user
    if "\0" in guid:
        raise _nobody()
    found = access.people_visible_to(user).exclude(kind=User.Kind.SYSTEM).filter(guid=guid).first()
    name = found.username if found else _name_in(events.about_person(user, guid), guid)
    if not name:
        raise _nobody()

    def sources(reader: User) -> Collection[EventQuerySet]:
        if not events.reads_anywhere(reader):
            raise NotAuthorized()
        return events.about_person(reader, guid)

    def show(page: events.EventPage) -> HttpResponse:
        shown = {"person": found, "name": name, "events": page, "crumbs": [navigation.HOME]}
        return render(request, "tenants/person_events.html", shown)

    return told(request, sources, show, name=name)


def _name_in(sources: Collection[EventQuerySet], guid: str) -> str:
    """What somebody was called last who is not to be seen any more; nothing where no event tells of them."""
    for source in sources:
        if event := source.newest().first():
            return event.actor_name if event.actor_guid == guid else event.target_name
    return ""


def _nobody() -> NotFound:
    return NotFound("There is no such person, or nothing about them that you may read.")


@login_required
@require_safe
def platform_events(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Everything that was done, for who runs the platform."""

    def sources(reader: User) -> Collection[EventQuerySet]:
        access.authorize(reader, "audit.read")
        return [AuditEvent.objects.all()]

    def show(page: events.EventPage) -> HttpResponse:
        return render(request, "tenants/platform_events.html", {"events": page, "crumbs": [navigation.HOME]})

    return told(request, sources, show, name="platform")
