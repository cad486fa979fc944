"""An app's environment variables: their names, their values when somebody asks, and setting them."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from apps.actions import app as apps
from apps.actions import environment
from apps.forms import VariableForm
from apps.models import App
from apps.views.app import environment_waits
from apps.views.frame import app_of, app_page, demand, person
from paas.lib.web import tells_errors
from tenants.forms import errors_told_in


@login_required
@require_safe
def page(request: HttpRequest, guid: str) -> HttpResponse:
    """Names are for everybody who sees the app; values are shown by ``show``."""
    app = app_of(request, guid)
    return _page(request, app, VariableForm(initial={"name": request.GET.get("name", "")[:255]}))


def _page(request: HttpRequest, app: App, form: VariableForm, values: Mapping[str, str] | None = None) -> HttpResponse:
    variables = [(name, values.get(name) if values is not None else None) for name in sorted(app.environment)]
    context = {"form": form, "variables": variables, "shown": values is not None, "changed": environment_waits(app)}
    return app_page(request, app, "apps/environment.html", tab="app_environment", **context)


@login_required
@require_POST
@tells_errors("app_environment")
def show(request: HttpRequest, guid: str) -> HttpResponse:
    """Answer with the values, once; they are in no address and no cache, and the reading is recorded."""
    app = app_of(request, guid)
    values = environment.show_variables(person(request), app)
    return _page(request, app, VariableForm(), values)


@login_required
@require_POST
def put(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "app.set_environment", app.space)
    form = VariableForm(request.POST)
    if form.is_valid():
        name = form.cleaned_data["name"]
        with errors_told_in(form):
            apps.set_environment(person(request), app, variables={name: form.cleaned_data["value"]})
            messages.success(request, f"{name} is set, from the next restart on.")
            return redirect("app_environment", guid)
    return _page(request, app, form)


@login_required
@require_POST
@tells_errors("app_environment")
def remove(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    name = request.POST.get("name", "")
    apps.set_environment(person(request), app, variables={name: None})
    messages.success(request, f"{name} is removed, from the next restart on.")
    return redirect("app_environment", guid)
