"""What was done to an app, by whom, and what it did by itself."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import AuditEvent
from apps.views.frame import app_of, app_page, demand
from tenants import events


@login_required
@require_safe
def page(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "space.audit", app.space)
    rows = AuditEvent.objects.filter(target_guid=app.guid)
    told = events.page(rows, request.GET, kinds=events.APP_KINDS)
    return app_page(request, app, "apps/events.html", tab="app_events", events=told)
