"""The page on which an organization requires a second factor of its people."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from paas.lib.errors import Unprocessable
from tenants import navigation
from tenants.access import authorize
from tenants.actions import second_factor as actions
from tenants.second_factor import lacking
from tenants.views.places import organization_seen

PEOPLE = 50  # names that are shown


@login_required
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest, guid: str) -> HttpResponse:
    """Whom it would shut out, before it does."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    authorize(user, "organization.update", organization)
    error = None
    if request.method == "POST":
        required = request.POST.get("required") == "yes"
        try:
            actions.require_second_factor(user, organization, required=required)
        except Unprocessable as refused:
            error = refused
        else:
            words = (
                "Everybody here needs a second factor now." if required else "Nobody here needs a second factor now."
            )
            messages.success(request, words)
            return redirect("organization_settings", guid)
    without = lacking(organization)
    shown = {
        "organization": organization,
        "error": error,
        "without": without[:PEOPLE],
        "count": without.count(),
        "crumbs": [navigation.HOME, (organization.name, f"/orgs/{guid}"), ("Settings", f"/orgs/{guid}/settings")],
    }
    return render(request, "tenants/second_factor.html", shown, status=400 if error else 200)
