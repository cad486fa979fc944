"""Builds: the list, and the page on which one is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from apps.actions import push
from apps.jobs.stage import position
from apps.live import lines
from apps.models import Build, Deployment
from apps.views.frame import app_of, app_page, for_scripts, person
from apps.views.lines import newest, shown
from paas.lib.errors import ServiceUnavailable
from paas.lib.web import found, tells_errors
from paas.seams.runtimes.base import LogLine

MOST = 1000  # lines on the page
AT_ONCE = 500  # lines in one answer to a script
TITLES = {
    "NoAppDetectedError": "No buildpack recognised the app",
    "BuildpackCompileFailed": "The buildpack could not build the app",
    "BuildpackReleaseFailed": "The buildpack could not say how to start the app",
    "StagingCancelled": "The build was cancelled",
    "StagingTimeExpired": "The build took too long",
}
QUOTED = "\nThe last lines:\n"


@dataclass(frozen=True)
class Failure:
    """Why a build failed: what happened with its likely cause and the next step, and the lines that matter."""

    title: str
    sentence: str
    last_lines: list[str]


def failure(build: Build) -> Failure:
    text = build.error.removeprefix(f"{build.error_title} - ")
    sentence, _, quoted = text.partition(QUOTED)
    return Failure(TITLES.get(build.error_title, "The build failed"), sentence, quoted.splitlines())


def build_of(request: HttpRequest, guid: str) -> Build:
    joined = ("app__space__organization", "app__space__region", "package", "droplet", "created_by")
    return found(Build.objects.visible_to(person(request)).select_related(*joined).defer("environment"), guid)


@login_required
@require_safe
def listed(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    rows = app.builds.select_related("created_by", "package", "droplet").defer("environment").order_by("-created_at")
    page = Paginator(rows, 30).get_page(request.GET.get("page"))
    return app_page(request, app, "apps/builds.html", tab="app_builds", page=page)


@login_required
@require_safe
def one(request: HttpRequest, guid: str) -> HttpResponse:
    build = build_of(request, guid)
    read = _read(request, build)
    told = newest(read or [])
    deployment = _deployment(build)
    context: dict[str, Any] = {
        "lines": told,
        "cursor": str(int(told[-1].cursor) + 1 if told else 0),
        "hidden": len(told) < len(read or []) or len(told) == MOST,
        "unread": read is None,
        "failure": failure(build) if build.state == Build.State.FAILED else None,
        "deployment": deployment,
        "stage": _stage(build, deployment),
    }
    return app_page(request, build.app, "apps/build.html", **context, **progress(build))


def _read(request: HttpRequest, build: Build) -> list[LogLine] | None:
    """The newest lines first; None where the log cannot be read: how the build stands is true without it."""
    try:
        return lines(person(request), build, descending=True, limit=MOST)
    except ServiceUnavailable:
        return None


def progress(build: Build) -> dict[str, Any]:
    """What changes while the build goes on."""
    going_on = build.state == Build.State.STAGING
    waiting = position(build) if going_on and build.started_at is None else None
    return {"build": build, "steps": list(build.steps.all()), "going_on": going_on, "position": waiting}


def _stage(build: Build, deployment: Deployment | None) -> str:
    """What the page waits for: the build, then the version that it brings up; at each change it is loaded anew."""
    if build.state == Build.State.STAGING:
        return "building"
    return "deploying" if deployment and deployment.value == Deployment.Value.ACTIVE else "over"


def _deployment(build: Build) -> Deployment | None:
    """The deployment by which the build went live, if it did."""
    if build.droplet is None or build.ended_at is None or not build.deploys:
        return None
    after = build.app.deployments.filter(droplet=build.droplet, created_at__gte=build.ended_at)
    return after.select_related("revision").order_by("id").first()


@for_scripts
@require_safe
def since(request: HttpRequest, guid: str) -> HttpResponse:
    """The lines from a cursor on, and where the build stands: what the page's script asks for again and again."""
    build = build_of(request, guid)
    asked = request.GET.get("cursor", "")
    cursor = int(asked) if asked.isdecimal() and len(asked) < 20 else 0
    read = lines(person(request), build, cursor=cursor, limit=AT_ONCE)
    return JsonResponse(
        {
            "lines": render_to_string("apps/lines.html", {"lines": [shown(line) for line in read]}),
            "cursor": str(read[-1].at + 1) if read else str(cursor),
            "progress": render_to_string("apps/progress.html", progress(build)),
            "more": len(read) == AT_ONCE,
            "stage": _stage(build, _deployment(build)),
        }
    )


@login_required
@require_POST
@tells_errors("build")
def cancel(request: HttpRequest, guid: str) -> HttpResponse:
    push.cancel(person(request), build_of(request, guid))
    messages.success(request, "The build is being cancelled.")
    return redirect("build", guid)
