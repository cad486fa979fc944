"""An app's revisions, and going back to one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from apps.actions import deployment as deployments
from apps.models import Droplet
from apps.views.frame import app_of, app_page, demand, person
from paas.lib.errors import NotFound
from paas.lib.web import tells_errors


@login_required
@require_safe
def listed(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    rows = app.revisions.select_related("droplet").defer("environment").order_by("-version")
    page = Paginator(rows, 30).get_page(request.GET.get("page"))
    shown = [(row, row.droplet is not None and row.droplet.state == Droplet.State.STAGED) for row in page]
    current = app.target or app.serving
    context = {"page": page, "revisions": shown, "current": current.revision_id if current else None}
    return app_page(request, app, "apps/revisions.html", tab="app_revisions", **context)


@login_required
@require_http_methods(["GET", "POST"])
@tells_errors()
def deploy(request: HttpRequest, guid: str, version: int) -> HttpResponse:
    """Ask once more, then bring the revision up again beside what runs."""
    app = app_of(request, guid)
    demand(request, "app.deploy", app.space)
    revision = app.revisions.select_related("droplet").filter(version=version).first()
    if revision is None:
        raise NotFound(f"{app.name} has no revision {version}.")
    if request.method == "POST":
        deployments.create(person(request), app, revision=revision)
        messages.success(request, f"Revision {version} is coming up again; what runs serves until it is healthy.")
        return redirect("app", guid)
    return app_page(request, app, "apps/revision_deploy.html", revision=revision)
