"""An instance's backups: that they can be restored, what there is, and one more when it is asked for."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from paas.lib.errors import NotFound
from paas.lib.web import tells_errors
from services.actions import backup as actions
from services.models import Repository, ServiceInstance
from services.views import kept
from services.views.frame import instance_of, instance_page
from tenants.views.places import demand, for_scripts, has_moved, person, polled


def _seen(request: HttpRequest, guid: str) -> tuple[ServiceInstance, Repository]:
    instance = instance_of(request, guid)
    demand(request, "service.view", instance.space)
    row = kept.of(person(request), instance)
    if row is None:
        raise NotFound("The platform takes no backups of this service: whoever runs it does, or nobody.")
    return instance, row


@login_required
@require_safe
def backups(request: HttpRequest, guid: str) -> HttpResponse:
    instance, row = _seen(request, guid)
    taken = sorted(row.backups.all(), key=lambda each: each.ended_at, reverse=True)
    context = {
        "repository": row,
        "safety": kept.safety(row),
        "taken": taken,
        "size_bytes": sum(each.size_bytes for each in taken),
        "to_the_second": kept.to_the_second(instance.plan),
        "until": kept.until(row) if row.error else None,
    }
    return instance_page(
        request, instance, "services/backups.html", tab="service_backups", **kept.progress(row), **context
    )


@for_scripts
@require_safe
def now(request: HttpRequest, guid: str) -> HttpResponse:
    """How far the backup is, fetched again and again; the page is loaded anew with each change."""
    instance, row = _seen(request, guid)
    shown = kept.progress(row)
    context = {"instance": instance, **shown}
    return polled(request, "services/backups_now.html", context, anew=has_moved(request, shown["stage"]))


@login_required
@require_POST
@tells_errors("service_backups")
def take(request: HttpRequest, guid: str) -> HttpResponse:
    instance = instance_of(request, guid)
    actions.take(person(request), instance)
    messages.success(request, f"A backup of {instance.name} is being taken. Apps go on using it.")
    return redirect("service_backups", guid)
