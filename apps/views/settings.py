"""An app's settings: name, size, start command, health check, buildpacks, and deleting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.actions import app as apps
from apps.actions import process as processes
from apps.actions import push
from apps.actions import route as routes
from apps.actions.environment import show_commands
from apps.forms import BuildpacksForm, DeleteAppForm, RenameForm, RunForm, ScaleForm
from apps.models import App, Destination, Process, Route
from apps.views.app import process_of
from apps.views.frame import app_of, app_page, demand, person
from tenants.access import verbs_held
from tenants.forms import errors_told_in

RUN_VERBS = {"process.update", "app.see_secrets"}  # the form that changes a start command shows it


@dataclass(frozen=True)
class Section:
    """One process with its two forms."""

    process: Process
    scale: forms.Form
    run: forms.Form


def scale_form(process: Process, data: object = None) -> ScaleForm:
    names = ("instances", "memory_mb", "disk_mb")
    initial = {name: getattr(process, name) for name in names}
    return ScaleForm(data, initial=initial, auto_id=f"scale_{process.type}_%s")  # type: ignore[arg-type]


def run_form(process: Process, data: object = None) -> RunForm:
    return RunForm(data, initial=RunForm.of(process), auto_id=f"run_{process.type}_%s")  # type: ignore[arg-type]


@login_required
@require_safe
def page(request: HttpRequest, guid: str) -> HttpResponse:
    return _page(request, app_of(request, guid))


def _page(
    request: HttpRequest,
    app: App,
    *,
    process: Process | None = None,
    rename: forms.Form | None = None,
    scale: forms.Form | None = None,
    run: forms.Form | None = None,
    buildpacks: forms.Form | None = None,
) -> HttpResponse:
    """Show every form; the one that was refused comes with what was typed, for its process where it has one."""
    sections = [
        Section(
            each,
            scale if scale and each == process else scale_form(each),
            run if run and each == process else run_form(each),
        )
        for each in app.processes.order_by("id")
    ]
    if any(section.process.command for section in sections) and verbs_held(person(request), app.space) >= RUN_VERBS:
        show_commands(person(request), app, of="processes")
    context = {
        "sections": sections,
        "rename": rename or RenameForm(initial={"name": app.name}, auto_id="rename_%s"),
        "buildpacks": buildpacks or BuildpacksForm(initial=BuildpacksForm.of(app), auto_id="packs_%s"),
        "refused": rename or scale or run or buildpacks,
    }
    return app_page(request, app, "apps/settings.html", tab="app_settings", **context)


@login_required
@require_POST
def rename(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "app.update", app.space)
    form = RenameForm(request.POST, auto_id="rename_%s")
    if form.is_valid():
        with errors_told_in(form):
            app = apps.update(person(request), app, name=form.cleaned_data["name"])
            messages.success(request, f"The app is called {app.name} now. Its routes keep their names.")
            return redirect("app_settings", guid)
    return _page(request, app_of(request, guid), rename=form)


@login_required
@require_POST
def scale(request: HttpRequest, guid: str, process_type: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "app.scale", app.space)
    process = process_of(app, process_type)
    form = scale_form(process, request.POST)
    if form.is_valid():
        before = (process.memory_mb, process.disk_mb)
        with errors_told_in(form):
            process = processes.scale(person(request), process, **form.cleaned_data)
            larger = (process.memory_mb, process.disk_mb) != before and app.state == App.State.STARTED
            later = " Instances that run keep their size until the app is restarted." if larger else ""
            messages.success(request, f"{process_type} is scaled.{later}")
            return redirect("app_settings", guid)
    return _page(request, app, process=process, scale=form)


@login_required
@require_POST
def run(request: HttpRequest, guid: str, process_type: str) -> HttpResponse:
    app = app_of(request, guid)
    for verb in RUN_VERBS:
        demand(request, verb, app.space)
    process = process_of(app, process_type)
    form = run_form(process, request.POST)
    if form.is_valid():
        with errors_told_in(form):
            processes.update(person(request), process, **form.fields_of_process)
            messages.success(request, f"Saved for {process_type}, from the next restart on.")
            return redirect("app_settings", guid)
    return _page(request, app, process=process, run=form)


@login_required
@require_POST
def buildpacks(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "app.update", app.space)
    form = BuildpacksForm(request.POST, auto_id="packs_%s")
    if form.is_valid():
        with errors_told_in(form):
            names = form.cleaned_data["buildpacks"]
            push.check_buildpacks(names, app.name)
            apps.update(person(request), app, buildpacks=names)
            messages.success(request, "Saved, from the next build on.")
            return redirect("app_settings", guid)
    return _page(request, app, buildpacks=form)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks for the name, and says what goes with it."""
    app = app_of(request, guid)
    demand(request, "app.delete", app.space)
    form = DeleteAppForm(request.POST or None, expected=app.name)
    own = _only_its_own(app)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form), transaction.atomic():
            apps.delete(person(request), app)
            for route in own if form.cleaned_data["routes"] else []:
                routes.delete(person(request), route)
            messages.success(request, f"{app.name} is deleted.")
            return redirect("space", app.space.guid)
    context: dict[str, Any] = {
        "form": form,
        "routes": own,
        "counts": {
            "instances": app.running.count(),
            "packages": app.packages.count(),
            "droplets": app.droplets.count(),
            "builds": app.builds.count(),
        },
    }
    return app_page(request, app, "apps/delete.html", **context)


def _only_its_own(app: App) -> list[Route]:
    """The routes that lead to this app and to no other."""
    leads = Destination.objects.filter(route=OuterRef("pk"))
    rows = Route.objects.filter(Exists(leads.filter(app=app)), ~Exists(leads.exclude(app=app)))
    return list(rows.select_related("domain", "space__organization"))
