"""An app: where it answers, what runs of it, and the buttons that change that."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AuditEvent
from apps.actions import app as apps
from apps.actions import process as processes
from apps.actions import push
from apps.live import Shown, instances
from apps.models import App, Build, Package, Process
from apps.views.frame import app_of, app_page, demand, for_scripts, person
from apps.views.standing import runs, standing, watched
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.web import tells_errors
from services.models import Binding
from tenants.access import verbs_held
from tenants.views.places import has_moved, polled


def now(app: App) -> dict[str, Any]:
    """What of an app's page changes by itself: state and instances, read at this moment."""
    under_way = Build.objects.filter(state=Build.State.STAGING).defer("environment")
    prefetch_related_objects([app], "processes", "running", Prefetch("builds", under_way))
    wanted = [process for process in app.processes.all() if runs(app, process) or process.type == "web"]
    fresh = watched(app.space.region)
    shown = [each if each.usage or fresh else _unseen(each) for each in instances(app, wanted)]
    return {
        "standing": standing(app),
        "instances": shown,
        "watched_at": app.space.region.watched_at,
        "coming": app.target if app.target_id != app.serving_id else None,
    }


def stage(app: App) -> str:
    """A word that changes with the app's builds and deployments: a page that was made with another is out of date."""
    deployment = app.deployments.order_by("-id").values_list("guid", "reason", "failed_at").first()
    build = app.builds.order_by("-created_at").values_list("guid", "state").first()
    return sha256(repr((deployment, build)).encode()).hexdigest()[:16]


def _unseen(each: Shown) -> Shown:
    """An instance that nobody saw lately is not spoken of as if somebody had."""
    return replace(each, state="UNKNOWN", details=f"last seen {each.state.lower()}") if each.guid else each


def process_of(app: App, kind: str) -> Process:
    joined = ("app__space__organization__quota", "app__space__quota")
    row = app.processes.select_related(*joined).filter(type=kind).first()
    if row is None:
        raise NotFound(f"{app.name} has no process {kind}.")
    return row


@login_required
@require_safe
def overview(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    deployments = app.deployments.select_related("revision", "created_by").order_by("-id")
    context = {
        "destinations": app.destinations.select_related("route__domain").order_by("id"),
        "deployment": deployments.first(),
        "build": app.builds.defer("environment").order_by("-created_at").first(),
        "crash": AuditEvent.objects.filter(target_guid=app.guid, type="app.crash").newest().first(),
        "changed": environment_waits(app),
        "bindings": services_of(request, app),
        "stage": stage(app),
    }
    return app_page(request, app, "apps/overview.html", tab="app", **now(app), **context)


def services_of(request: HttpRequest, app: App) -> list[Binding]:
    """What is bound to the app, as far as the person sees it."""
    rows = Binding.objects.visible_to(person(request)).filter(app=app).select_related("instance__plan__offering")
    shown = ("operation_type", "operation_state", "instance__guid", "instance__name")
    of_plan = ("instance__plan__name", "instance__plan__offering__name")
    return list(rows.only(*shown, *of_plan).order_by("instance__name", "pk"))


def environment_waits(app: App) -> bool:
    """Whether the app runs with an environment that has been changed since."""
    current = app.target or app.serving
    return app.state == App.State.STARTED and current is not None and current.revision.environment != app.environment


@for_scripts
@require_safe
def running(request: HttpRequest, guid: str) -> HttpResponse:
    """The part of the page that is fetched every few seconds; the whole page is fetched anew when more has changed."""
    app = app_of(request, guid)
    may = verbs_held(person(request), app.space)
    shown = {"app": app, "may": may, **now(app)}
    return polled(request, "apps/instances.html", shown, anew=has_moved(request, stage(app)))


@login_required
@require_POST
@tells_errors("app")
def start(request: HttpRequest, guid: str) -> HttpResponse:
    app = apps.start(person(request), app_of(request, guid))
    messages.success(request, f"{app.name} is starting.")
    return redirect("app", guid)


@login_required
@require_POST
@tells_errors("app")
def stop(request: HttpRequest, guid: str) -> HttpResponse:
    app = apps.stop(person(request), app_of(request, guid))
    messages.success(request, f"{app.name} is stopping. Its routes answer that it is not running until you start it.")
    return redirect("app", guid)


@login_required
@require_POST
@tells_errors("app")
def restart(request: HttpRequest, guid: str) -> HttpResponse:
    app = apps.restart(person(request), app_of(request, guid))
    messages.success(request, f"{app.name} is being replaced: new instances come up beside the old ones.")
    return redirect("app", guid)


@login_required
@require_POST
@tells_errors("app")
def restage(request: HttpRequest, guid: str) -> HttpResponse:
    """Build the newest package again, and put the outcome live."""
    app = app_of(request, guid)
    demand(request, "app.deploy", app.space)
    package = app.packages.filter(state=Package.State.READY).order_by("-created_at").first()
    if package is None:
        raise Unprocessable("There is no source to build: nothing was pushed yet, or it was collected. Push again.")
    build = push.stage(person(request), package, deploys=True)
    return redirect("build", build.guid)


@login_required
@require_POST
@tells_errors("app")
def restart_instance(request: HttpRequest, guid: str, process_type: str, index: int) -> HttpResponse:
    app = app_of(request, guid)
    process = process_of(app, process_type)
    processes.restart_instance(person(request), process, index=index)
    messages.success(request, f"Instance {index} of {process_type} is being replaced.")
    return redirect("app", guid)
