"""Pages about the keys of a robot; a new one is shown once, in no redirect, no message and no session."""

from __future__ import annotations

from shlex import quote
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import RobotKey
from paas.lib.web import found
from tenants import access
from tenants.actions import robot_key as actions
from tenants.actions.robot import VERB
from tenants.forms import errors_told_in
from tenants.machine_forms import KeyForm, RotateForm
from tenants.models import Robot, SpaceRole, in_force
from tenants.views.robots import crumbs_of, robot_seen


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    robot = _managed(user, guid)
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            key, text = actions.create(user, robot, name=form.cleaned_data["name"], expires_at=form.ends)
            return _shown(request, robot, key, text)
    return render(request, "tenants/robot_key_create.html", {"robot": robot, "form": form, "crumbs": crumbs_of(robot)})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, guid: str, key: str) -> HttpResponse:
    """Asks how long the old key goes on, and shows the new one."""
    user: Any = request.user
    robot = _managed(user, guid)
    old = _key(robot, key)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            new, text = actions.rotate(user, old, days=form.cleaned_data["days"])
            old.refresh_from_db()
            return _shown(request, robot, new, text, old=old)
    shown = {"robot": robot, "key": old, "form": form, "crumbs": crumbs_of(robot)}
    return render(request, "tenants/robot_key_rotate.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, guid: str, key: str) -> HttpResponse:
    """Asks first, and tells when and from where the key was used last."""
    user: Any = request.user
    robot = _managed(user, guid)
    found = _key(robot, key)
    if request.method == "POST":
        actions.revoke(user, found)
        messages.success(request, f"The key “{found.name}” is revoked. Whatever used it is refused from now on.")
        return redirect("robot", robot.guid)
    return render(request, "tenants/robot_key_revoke.html", {"robot": robot, "key": found, "crumbs": crumbs_of(robot)})


def _managed(user: Any, guid: str) -> Robot:
    robot = robot_seen(user, guid)
    access.authorize(user, VERB, robot.organization)
    return robot


def _key(robot: Robot, guid: str) -> RobotKey:
    return found(RobotKey.objects.filter(robot=robot.user), guid, "The robot has no such key (any more).")


def _shown(
    request: HttpRequest, robot: Robot, key: RobotKey, text: str, *, old: RobotKey | None = None
) -> HttpResponse:
    """Show the key with the lines that use it, in the first space where the robot has a role, safe to paste."""
    roles = SpaceRole.objects.filter(in_force(), user=robot.user, content_object__organization=robot.organization)
    first = roles.select_related("content_object").order_by("content_object__name").first()
    trust = " --skip-ssl-validation" if settings.PAAS_TLS == "self-signed" else ""
    space = quote(first.content_object.name) if first else "SPACE"
    shown = {
        "robot": robot,
        "organization": robot.organization,
        "key": key,
        "text": text,
        "old": old,
        "api": f"cf api {settings.PAAS_URL}{trust}",
        "auth": f"cf auth {robot.user.username} {text} --client-credentials",
        "target": f"cf target -o {quote(robot.organization.name)} -s {space}",
        "crumbs": crumbs_of(robot),
    }
    return render(request, "tenants/robot_key.html", shown)
