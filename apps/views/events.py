"""What was done to an app, by whom, and what it did by itself; and where the record finds pages of apps and routes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent, EventQuerySet, User
from apps.models import App, Route
from apps.views.frame import app_of, app_page
from tenants.access import authorize
from tenants.event_forms import APP_KINDS
from tenants.event_links import page_of
from tenants.events import EventPage
from tenants.views.events import told


@login_required
@require_safe
def page(request: HttpRequest, guid: str) -> HttpResponse | StreamingHttpResponse:
    app = app_of(request, guid)

    def sources(reader: User) -> Collection[EventQuerySet]:
        authorize(reader, "audit.read", app.space)
        return [AuditEvent.objects.filter(target_guid=app.guid)]

    def show(found: EventPage) -> HttpResponse:
        return app_page(request, app, "apps/events.html", tab="app_events", events=found)

    return told(request, sources, show, name=app.name, kinds=APP_KINDS)


@page_of("app", name="app")
def apps(reader: User, guids: Collection[str]) -> Iterable[str]:
    return App.objects.visible_to(reader).filter(guid__in=guids).values_list("guid", flat=True)


@page_of("route", name="route")
def routes(reader: User, guids: Collection[str]) -> Iterable[str]:
    return Route.objects.visible_to(reader).filter(guid__in=guids).values_list("guid", flat=True)
