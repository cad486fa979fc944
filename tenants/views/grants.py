"""Pages about roles that end: which do in an organization, until when and why somebody holds one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from paas.lib.errors import NotFound
from paas.lib.models import by_guid
from tenants import access, navigation
from tenants.actions import role as actions
from tenants.forms import errors_told_in
from tenants.models import Organization, OrganizationRole, Space, SpaceRole
from tenants.role_forms import EndForm
from tenants.views.places import organization_seen

SOON = timedelta(days=7)
MOST = 200
Row = OrganizationRole | SpaceRole
JOINED = ("user", "granted_by", "permission__custom_role")


@login_required
@require_GET
def organization_ends(request: HttpRequest, guid: str) -> HttpResponse:
    """Every role in the organization and its spaces that ends, the next one first."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, actions.VERB, organization)
    rows = _ending(Organization.objects.filter(pk=organization.pk), Space.objects.filter(organization=organization))
    shown = {
        "organization": organization,
        "rows": rows[:MOST],
        "left_off": len(rows) - MOST,
        "tabs": navigation.org_tabs(organization, user, "organization_members"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/role_ends.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def grant(request: HttpRequest, guid: str) -> HttpResponse:
    """One person's role somewhere: who gave it when, until when and why; managers change the last two."""
    user: Any = request.user
    row = _seen(user, guid)
    place = row.content_object
    access.authorize(user, actions.VERB, place)
    held = {"until": row.expires_at.date() if row.expires_at else None, "reason": row.reason}
    form = EndForm(request.POST or None, initial=held)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.set_end(user, row, expires_at=form.cleaned_data["until"], reason=form.cleaned_data["reason"])
            messages.success(request, f"The role of {row.user.display_name} is changed.")
            return redirect("role_grant", guid)
    is_space = isinstance(place, Space)
    shown = {
        "row": row,
        "label": access.role_label(row.permission),
        "place": place,
        "space": place if is_space else None,
        "form": form,
        "back": "space_members" if is_space else "organization_members",
        "crumbs": navigation.space_crumbs(place) if is_space else navigation.org_crumbs(place),
    }
    return render(request, "tenants/role_grant.html", shown)


def ending_soon(user: User) -> list[Row]:
    """Return the user's own roles that end within a week, the next one first."""
    soon = timezone.now() + SOON
    return _ending(Organization.objects.all(), Space.objects.all(), user=user, expires_at__lte=soon)


def _ending(organizations: Any, spaces: Any, **more: Any) -> list[Row]:
    here = {"expires_at__gt": timezone.now(), "content_object__deleting_at": None, **more}
    in_organizations = OrganizationRole.objects.filter(content_object__in=organizations, **here)
    in_spaces = SpaceRole.objects.filter(content_object__in=spaces, **here)
    rows: list[Row] = [
        *in_organizations.select_related(*JOINED, "content_object"),
        *in_spaces.select_related(*JOINED, "content_object__organization"),
    ]
    return sorted(rows, key=lambda row: (row.expires_at, row.pk))


def _seen(user: User, guid: str) -> Row:
    """Return a role in force in a place that the user sees; else raise ``NotFound``."""
    for model, places in ((OrganizationRole, Organization), (SpaceRole, Space)):
        rows = model.objects.filter(content_object__in=places.objects.visible_to(user))  # type: ignore[attr-defined]
        joined = "content_object" if places is Organization else "content_object__organization"
        found: Any = rows.select_related(*JOINED, joined)
        if row := by_guid(found.filter(access.in_force()), guid):
            return row
    raise NotFound("There is no such role, or it has ended.")
