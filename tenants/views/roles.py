"""Pages about the roles of an organization: Cloud Foundry's, and those that it makes of named permissions itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from paas.lib.errors import Unprocessable
from paas.lib.web import found
from tenants import access, effects, navigation
from tenants.actions import custom_role as actions
from tenants.actions import role as grants
from tenants.forms import errors_told_in
from tenants.models import CustomRole, Organization, Space, in_force
from tenants.permissions import LABELS, OF_ROLE, ORGANIZATION, ORGANIZATION_ROLES, SPACE, SPACE_ROLES, TABLE
from tenants.role_forms import CustomRoleForm, StartForm
from tenants.views.places import organization_seen

PER_PAGE = 50


@login_required
@require_GET
def organization_roles(request: HttpRequest, guid: str) -> HttpResponse:
    """The organization's own roles with how many hold them, and Cloud Foundry's with what they are made of."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    here = in_force("permission__organization_roles__")
    there = in_force("permission__space_roles__") & Q(permission__space_roles__content_object__deleting_at=None)
    own = organization.custom_roles.annotate(
        in_organization=Count("permission__organization_roles__user", filter=here, distinct=True),
        in_spaces=Count("permission__space_roles__user", filter=there, distinct=True),
    )
    shown = {
        "organization": organization,
        "page": Paginator(own.order_by(Lower("name"), "id"), PER_PAGE).get_page(request.GET.get("page")),
        "known": [
            (title, [(name, label, in_words(OF_ROLE[name])) for name, label in names.items()])
            for title, names in (("In spaces", SPACE_ROLES), ("In the organization", ORGANIZATION_ROLES))
        ],
        "may_manage": access.may(user, actions.VERB, organization),
        "tabs": navigation.org_tabs(organization, user, "organization_roles"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/roles.html", shown)


@login_required
@require_GET
def custom_role(request: HttpRequest, guid: str) -> HttpResponse:
    """What the role is made of, and who holds it where."""
    user: Any = request.user
    role = role_seen(user, guid)
    rows = effects.grants_of(role)
    if role.where == SPACE and not access.may(user, actions.VERB, role):
        rows = rows.filter(content_object__in=Space.objects.visible_to(user))
    shown = {
        "role": role,
        "made_of": in_words(role.verbs),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "may_manage": access.may(user, actions.VERB, role.organization),
        "may_give": access.may(user, grants.VERB, role.organization),
        "crumbs": _crumbs(role.organization),
    }
    return render(request, "tenants/custom_role.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    """A new role: first what it starts from, then its name and what it is made of."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, actions.VERB, organization)
    shown: dict[str, Any] = {"organization": organization, "crumbs": _crumbs(organization)}
    start = StartForm(request.GET or None, organization=organization)
    if not start.is_valid():
        return render(request, "tenants/custom_role_start.html", {**shown, "form": start})
    begun = start.cleaned_data["start"]
    where, verbs = _begun(organization, begun)
    form = CustomRoleForm(request.POST or None, where=where, initial={"permissions": sorted(verbs)})
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        asked["verbs"] = asked.pop("permissions")
        with errors_told_in(form):
            made = actions.create(user, organization, where=where, **asked)
            messages.success(request, f"The role {made.name} is there. Give it to people on the Members pages.")
            return redirect("custom_role", made.guid)
    label = "" if begun in (SPACE, ORGANIZATION) else dict(start.fields["start"].choices)[begun]
    return render(request, "tenants/custom_role_create.html", {**shown, "form": form, "label": label})


@login_required
@require_http_methods(["GET", "POST"])
def update(request: HttpRequest, guid: str) -> HttpResponse:
    """Change it; where that makes a difference to anybody, first says to whom and which."""
    user: Any = request.user
    role = role_seen(user, guid)
    access.authorize(user, actions.VERB, role)
    form = CustomRoleForm.of(role, request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = dict(form.cleaned_data)
        verbs = asked.pop("permissions")
        with errors_told_in(form):
            coming = effects.preview(role, actions.made_of(user, role, verbs))
            sent = request.POST.get("preview")
            if not coming.affected or sent == coming.mark:
                actions.update(user, role, verbs=verbs, preview=coming.mark, **asked)
                messages.success(request, f"The role {asked['name']} is changed.")
                return redirect("custom_role", guid)
            return _confirm(request, role, coming, form=form, stale=sent is not None)
    return render(request, "tenants/custom_role_update.html", {"role": role, "form": form, "crumbs": crumbs_of(role)})


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks first, and names everybody it is taken from."""
    user: Any = request.user
    role = role_seen(user, guid)
    access.authorize(user, actions.VERB, role)
    coming, error = effects.preview(role, ()), None
    if request.method == "POST":
        try:
            actions.delete(user, role, recursive=True, preview=request.POST.get("preview", ""))
        except Unprocessable as refused:
            error = refused
        else:
            messages.success(request, f"The role {role.name} is deleted.")
            return redirect("organization_roles", role.organization.guid)
    shown = {"role": role, "coming": coming, "rows": _told(coming.effects), "error": error, "crumbs": crumbs_of(role)}
    return render(request, "tenants/custom_role_delete.html", shown)


def role_seen(user: Any, guid: str) -> CustomRole:
    """Return the role if the user may see it, with its organization; else raise ``NotFound``."""
    rows = CustomRole.objects.visible_to(user).select_related("organization", "permission")
    return found(rows, guid, "There is no such role, or you have no role in its organization.")


def in_words(verbs: Any) -> list[str]:
    """Return the sentences of the verbs, in the table's order."""
    return [TABLE[verb].sentence for verb in effects.in_order(verbs) if verb in TABLE]


def crumbs_of(role: CustomRole) -> list[navigation.Crumb]:
    """The way to a page about the role."""
    return [*_crumbs(role.organization), (role.name, reverse("custom_role", args=[role.guid]))]


def _begun(organization: Organization, start: str) -> tuple[str, frozenset[str]]:
    """Return where a role counts that starts like this, and what it is made of so far."""
    if start in (SPACE, ORGANIZATION):
        return start, frozenset()
    if start in LABELS:
        return ORGANIZATION if start in ORGANIZATION_ROLES else SPACE, OF_ROLE[start]
    own = organization.custom_roles.get(guid=start)
    return own.where, frozenset(own.verbs)


def _confirm(
    request: HttpRequest, role: CustomRole, coming: effects.Preview, *, form: CustomRoleForm, stale: bool
) -> HttpResponse:
    shown = {
        "role": role,
        "form": form,
        "coming": coming,
        "gained": in_words(coming.gained),
        "lost": in_words(coming.lost),
        "rows": _told(coming.affected),
        "stale": stale,
        "crumbs": crumbs_of(role),
    }
    return render(request, "tenants/custom_role_confirm.html", shown)


def _told(told: list[effects.Effect]) -> list[tuple[effects.Effect, list[str], list[str]]]:
    """Return (effect, what is gained, what is lost), in words."""
    return [(effect, in_words(effect.gains), in_words(effect.loses)) for effect in told]


def _crumbs(organization: Organization) -> list[navigation.Crumb]:
    return [*navigation.org_crumbs(organization), ("Roles", reverse("organization_roles", args=[organization.guid]))]
