"""Pages about people who leave: what they had and who takes it over, the new keys shown once, and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from paas.lib.errors import PaasError
from paas.lib.web import found
from tenants import access, navigation
from tenants.actions import departure as actions
from tenants.actions import role as roles
from tenants.actions.robot import VERB as ROBOTS
from tenants.models import Departure, Organization
from tenants.views.places import organization_seen

PER_PAGE = 25


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, guid: str, person: str) -> HttpResponse:
    """Ask first: list what goes, and let the manager say who takes over and what becomes of the keys."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, roles.VERB, organization)
    leaving = found(access.people_of(organization), person, "There is no such person in the organization.")
    people = access.people_of(organization).filter(kind=User.Kind.PERSON).exclude(pk=leaving.pk)
    error = None
    if request.method == "POST":
        heir = request.POST.get("heir", "").replace("\0", "")
        keys = {name.removeprefix("key-"): value for name, value in request.POST.items() if name.startswith("key-")}
        try:
            departure, made = actions.leave(
                user,
                leaving,
                organization=organization,
                heir=found(people, heir, "Who was to take over is not in the organization any more.") if heir else None,
                keys=keys,
            )
        except PaasError as refused:
            error = refused
        else:
            return _gone(request, departure, made)
    left = actions.estate(leaving, organization)
    shown = {
        "organization": organization,
        "leaving": leaving,
        "left": left,
        "roles": [(row.content_object, access.role_label(row.permission), row) for row in reversed(left.roles)],
        "people": people.order_by(Lower("username")) if left.to_hand_over else [],
        "may_rotate": access.may(user, ROBOTS, organization),
        "self": leaving == user,
        "error": error,
        "crumbs": [*navigation.org_crumbs(organization)],
    }
    return render(request, "tenants/member_remove.html", shown)


def _gone(request: HttpRequest, departure: Departure, made: Any) -> HttpResponse:
    """Where there are new keys they are shown, this once; else the table says it, with the way back."""
    user: Any = request.user
    organization, name = departure.organization, departure.user.display_name
    if made:
        shown = {"organization": organization, "departure": departure, "keys": made.items()}
        return render(
            request,
            "tenants/member_removed.html",
            shown | {"name": name, "crumbs": navigation.org_crumbs(organization)},
        )
    messages.success(request, f"{name} is not in {organization.name} any more.")
    if access.may(user, roles.VERB, organization):
        return redirect("organization_departures", organization.guid)
    return redirect("home")


@login_required
@require_GET
def departures(request: HttpRequest, guid: str) -> HttpResponse:
    """Who was removed, by whom and when; for thirty days with the way back."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, roles.VERB, organization)
    rows = organization.departures.select_related("user", "by").order_by("-created_at", "-id")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = {
        "organization": organization,
        "page": page,
        "now": timezone.now(),
        "undo_days": actions.UNDO_DAYS,
        "tabs": navigation.org_tabs(organization, user, "organization_members"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/departures.html", shown)


@login_required
@require_POST
def undo(request: HttpRequest, guid: str, departure: str) -> HttpResponse:
    """Give back what the person had; what cannot come back is told."""
    user: Any = request.user
    organization: Organization = organization_seen(user, guid)
    access.authorize(user, roles.VERB, organization)
    rows = organization.departures.select_related("user", "organization")
    left = found(rows, departure, "There is no record of anybody leaving at this address.")
    try:
        lost = actions.undo(user, left)
    except PaasError as refused:
        messages.error(request, refused.detail)
    else:
        messages.success(request, f"{left.user.display_name} is in {organization.name} again.")
        for sentence in lost:
            messages.warning(request, sentence)
    return redirect("organization_departures", organization.guid)
