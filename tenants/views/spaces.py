"""Pages about a space that need not know what runs in it: creating it and its settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import access, navigation
from tenants.actions import space as actions
from tenants.forms import ConfirmForm, NameForm, errors_told_in
from tenants.models import Space
from tenants.views.places import figures, organization_seen, space_seen


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    """A new space in an organization; who creates it develops in it and manages it."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, "space.create", organization)
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            made = actions.create_and_join(user, organization, name=form.cleaned_data["name"])
            messages.success(request, f"Space {made.name} is there, and you develop in it and manage it.")
            return redirect("space", made.guid)
    shown = {"organization": organization, "form": form, "crumbs": navigation.org_crumbs(organization)}
    return render(request, "tenants/space_create.html", shown)


@login_required
@require_GET
def settings(request: HttpRequest, guid: str) -> HttpResponse:
    """Its name, what it uses of its quota, and for who may: deleting it."""
    return _settings(request, space_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_POST
def rename(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = space_seen(user, guid)
    form = NameForm(request.POST)
    if form.is_valid():
        with errors_told_in(form):
            found = actions.update(user, found, name=form.cleaned_data["name"])
            messages.success(request, f"The space is called {found.name} now.")
            return redirect("space_settings", guid)
    return _settings(request, found, form)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks for the name, and says what goes with it."""
    user: Any = request.user
    found = space_seen(user, guid)
    access.authorize(user, "space.delete", found)
    form = ConfirmForm(request.POST or None, expected=found.name)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.delete(user, found)
            messages.success(request, f"Space {found.name} is gone. What was in it is being taken away.")
            return redirect("organization", found.organization.guid)
    shown = {"space": found, "form": form, "crumbs": navigation.space_crumbs(found)}
    return render(request, "tenants/space_delete.html", shown)


def _settings(request: HttpRequest, found: Space, form: NameForm | None = None) -> HttpResponse:
    shown = {
        "form": form,
        "rename_form": form or NameForm(initial={"name": found.name}),
        "figures": figures(found.use, found.quota),
    }
    return _render(request, "space_settings", found, current="space_settings", **shown)


def _render(request: HttpRequest, template: str, found: Space, *, current: str, **more: Any) -> HttpResponse:
    user: Any = request.user
    shown = {
        "space": found,
        "organization": found.organization,
        "may": access.verbs_held(user, found),
        "tabs": navigation.space_tabs(found, user, current),
        "crumbs": navigation.org_crumbs(found.organization),
    }
    return render(request, f"tenants/{template}.html", shown | more)
