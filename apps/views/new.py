"""Pushing from the console: a new app, or a new version of one."""

from __future__ import annotations

import re
from shlex import quote
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps import uploads
from apps.actions import app as apps
from apps.actions import destination as destinations
from apps.actions import domain as domains
from apps.actions import process as processes
from apps.actions import push
from apps.actions import route as routes
from apps.actions.destination import End
from apps.forms import GitForm, NewGitForm, NewUploadForm, SourceForm, UploadForm
from apps.models import App, Package
from apps.views.frame import app_of, app_page, demand, person, space_of, space_page
from tenants.forms import errors_told_in
from tenants.models import Space

NEW = (("Upload", "app_new"), ("Git repository", "app_new_git"), ("With cf", "app_new_cf"))
PUSH = (("Upload", "app_push"), ("Git repository", "app_push_git"), ("With cf", "app_push_cf"))


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, guid: str) -> HttpResponse:
    return _new(request, guid, NewUploadForm, "app_new")


@login_required
@require_http_methods(["GET", "POST"])
def git(request: HttpRequest, guid: str) -> HttpResponse:
    return _new(request, guid, NewGitForm, "app_new_git")


@login_required
@require_GET
def with_cf(request: HttpRequest, guid: str) -> HttpResponse:
    """The lines to copy, for exactly this organization and space."""
    space = space_of(request, guid)
    demand(request, "app.create", space)
    return space_page(
        request, space, "apps/new.html", ways=_ways(NEW, guid, "app_new_cf"), lines=_lines(request, space, "my-app")
    )


@login_required
@require_http_methods(["GET", "POST"])
def upload_version(request: HttpRequest, guid: str) -> HttpResponse:
    return _version(request, guid, UploadForm, "app_push")


@login_required
@require_http_methods(["GET", "POST"])
def git_version(request: HttpRequest, guid: str) -> HttpResponse:
    return _version(request, guid, GitForm, "app_push_git")


@login_required
@require_GET
def version_with_cf(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    demand(request, "app.push", app.space)
    return app_page(
        request,
        app,
        "apps/push.html",
        ways=_ways(PUSH, guid, "app_push_cf"),
        lines=_lines(request, app.space, app.name),
    )


def _new(request: HttpRequest, guid: str, kind: type[NewUploadForm | NewGitForm], way: str) -> HttpResponse:
    """A new app with its first version; all of it, or where anything is refused nothing."""
    space = space_of(request, guid)
    demand(request, "app.create", space)
    form = kind(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form), transaction.atomic():
            app = apps.create(person(request), space, name=form.cleaned_data["name"], buildpacks=form.buildpacks)
            package = _package(request, app, form)
            _size(request, app, form.cleaned_data)
            _route(request, app)
            return redirect("build", push.stage(person(request), package, deploys=True).guid)
    return space_page(request, space, "apps/new.html", ways=_ways(NEW, guid, way), form=form)


def _version(request: HttpRequest, guid: str, kind: type[UploadForm | GitForm], way: str) -> HttpResponse:
    """A new version of an app."""
    app = app_of(request, guid)
    demand(request, "app.push", app.space)
    form = kind(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form), transaction.atomic():
            package = _package(request, app, form)
            build = push.stage(person(request), package, buildpacks=form.buildpacks, deploys=True)
            return redirect("build", build.guid)
    return app_page(request, app, "apps/push.html", ways=_ways(PUSH, guid, way), form=form)


def _ways(ways: tuple[tuple[str, str], ...], guid: str, current: str) -> list[tuple[str, str, bool]]:
    return [(text, reverse(name, args=[guid]), name == current) for text, name in ways]


def _lines(request: HttpRequest, space: Space, name: str) -> dict[str, str]:
    """What to type, for this person and place, safe to paste into a shell."""
    trust = " --skip-ssl-validation" if settings.PAAS_TLS == "self-signed" else ""
    user, organization, place, app = map(quote, (person(request).username, space.organization.name, space.name, name))
    sign_in = f"cf api {settings.PAAS_URL}{trust}\ncf login -u {user}\ncf target -o {organization} -s {place}"
    return {"sign_in": sign_in, "push": f"cf push {app}"}


def _package(request: HttpRequest, app: App, form: SourceForm) -> Package:
    """The package of what the form holds."""
    asked: dict[str, Any] = form.cleaned_data
    if isinstance(form, GitForm):
        return push.create_package(person(request), app, source_url=asked["url"], source_ref=asked["ref"])
    package = push.create_package(person(request), app)
    bits = uploads.as_zip(asked["bits"].name, asked["bits"].file)
    return uploads.receive(person(request), package, bits=bits)


def _size(request: HttpRequest, app: App, asked: dict[str, Any]) -> None:
    web = app.processes.select_related("app__space__organization__quota", "app__space__quota").get(type="web")
    processes.scale(person(request), web, instances=asked["instances"], memory_mb=asked["memory_mb"])
    if asked["command"]:
        processes.update(person(request), web, command=asked["command"])


def _route(request: HttpRequest, app: App) -> None:
    """Give a new app the address that ``cf push`` would give it."""
    domain = domains.default_of(app.space.organization)
    if domain is not None:
        route = routes.create(person(request), app.space, domain=domain, host=host_of(app.name))
        destinations.add(person(request), route, ends=[End(app)])


def host_of(name: str) -> str:
    """The host that an app's name becomes: lower case, and nothing that no host may have."""
    spaced = re.sub(r"[\s_.]+", "-", name.lower())
    return re.sub(r"[^a-z0-9-]", "", spaced).strip("-")[:63] or "app"
