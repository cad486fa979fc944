"""Pages about the robot accounts of an organization."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import keys
from paas.lib.web import found
from tenants import access, navigation
from tenants.actions import robot as actions
from tenants.actions import role as roles
from tenants.forms import errors_told_in
from tenants.machine_forms import NewRobotForm, RobotForm
from tenants.models import Organization, OrganizationRole, Robot, Space, SpaceRole, in_force
from tenants.views.places import organization_seen

PER_PAGE = 50


@login_required
@require_GET
def organization_robots(request: HttpRequest, guid: str) -> HttpResponse:
    """The robots of the organization: what they are for, who looks after them, when they were last used."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    rows = organization.robots.select_related("user", "caretaker").order_by(Lower("user__given_name"), "id")
    now = timezone.now()
    rows = rows.annotate(
        used_at=Max("user__keys__last_used_at"),
        keys_in_force=Count("user__keys", filter=Q(user__keys__expires_at__gt=now)),
        ending=Count(
            "user__keys", filter=Q(user__keys__expires_at__gt=now, user__keys__expires_at__lt=now + keys.NOTICES[0])
        ),
    )
    shown = {
        "organization": organization,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "may_manage": access.may(user, actions.VERB, organization),
        "tabs": navigation.org_tabs(organization, user, "organization_robots"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/robots.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    """A new robot, and the spaces in which it may push; all of it or nothing."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, actions.VERB, organization)
    form = NewRobotForm(request.POST or None, organization=organization, actor=user)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        spaces = asked.pop("spaces")
        with errors_told_in(form), transaction.atomic():
            robot = actions.create(user, organization, **asked)
            for space in spaces:
                roles.give(user, robot.user, role="space_developer", place=space)
            messages.success(request, f"The robot {robot.user.display_name} is there. Make a key for it next.")
            return redirect("robot", robot.guid)
    shown = {"organization": organization, "form": form, "crumbs": _crumbs(organization)}
    return render(request, "tenants/robot_create.html", shown)


@login_required
@require_GET
def robot(request: HttpRequest, guid: str) -> HttpResponse:
    """What it is, what it may do, and for who manages robots its keys."""
    user: Any = request.user
    found = robot_seen(user, guid)
    may_manage = access.may(user, actions.VERB, found.organization)
    shown = {
        "robot": found,
        "organization": found.organization,
        "held": roles_held(found, user),
        "may_manage": may_manage,
        "may_give": access.may(user, roles.VERB, found.organization),
        "keys": found.user.keys.select_related("seen_by").order_by("-expires_at") if may_manage else [],  # type: ignore[attr-defined]
        "now": timezone.now(),
        "soon": timezone.now() + keys.NOTICES[0],
        "crumbs": _crumbs(found.organization),
    }
    return render(request, "tenants/robot.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, guid: str) -> HttpResponse:
    """Its name, what it is for, who looks after it, and from where it may call."""
    user: Any = request.user
    found = robot_seen(user, guid)
    access.authorize(user, actions.VERB, found.organization)
    form = RobotForm.of(found, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.update(user, found, **form.cleaned_data)
            messages.success(request, "The robot is changed.")
            return redirect("robot", found.guid)
    return render(request, "tenants/robot_settings.html", {"robot": found, "form": form, "crumbs": crumbs_of(found)})


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks first, and names what stops working."""
    user: Any = request.user
    found = robot_seen(user, guid)
    access.authorize(user, actions.VERB, found.organization)
    if request.method == "POST":
        actions.delete(user, found)
        messages.success(request, f"The robot {found.user.display_name} is deleted. Whatever used it is refused now.")
        return redirect("organization_robots", found.organization.guid)
    in_force_keys = found.user.keys.filter(expires_at__gt=timezone.now()).order_by("name")  # type: ignore[attr-defined]
    shown = {"robot": found, "held": roles_held(found, user), "keys": in_force_keys, "crumbs": crumbs_of(found)}
    return render(request, "tenants/robot_delete.html", shown)


def robot_seen(user: Any, guid: str) -> Robot:
    """Return the robot if the user may see it, with its organization; else raise ``NotFound``."""
    rows = Robot.objects.visible_to(user).select_related("user", "organization", "caretaker")
    return found(rows, guid, "There is no such robot, or you have no role in its organization.")


def roles_held(robot: Robot, reader: Any) -> list[tuple[str, str, str]]:
    """Return (place, its URL, the roles there) of what the reader sees of the robot's roles, a line each place."""
    found: dict[Organization | Space, list[str]] = {}
    here = OrganizationRole.objects.filter(content_object__in=Organization.objects.visible_to(reader))
    in_spaces = SpaceRole.objects.filter(content_object__in=Space.objects.visible_to(reader))
    for rows in (here, in_spaces):
        mine = rows.filter(in_force(), user=robot.user).select_related("content_object", "permission__custom_role")
        for row in mine.order_by(Lower("content_object__name"), "id"):
            found.setdefault(row.content_object, []).append(access.role_label(row.permission))
    return [
        (f"Space {place.name}", reverse("space", args=[place.guid]), ", ".join(labels))
        if isinstance(place, Space)
        else (place.name, reverse("organization", args=[place.guid]), ", ".join(labels))
        for place, labels in found.items()
    ]


def _crumbs(organization: Organization) -> list[navigation.Crumb]:
    return [
        *navigation.org_crumbs(organization),
        ("Robots", reverse("organization_robots", args=[organization.guid])),
    ]


def crumbs_of(robot: Robot) -> list[navigation.Crumb]:
    """The way to a page about the robot."""
    return [*_crumbs(robot.organization), (robot.user.display_name, reverse("robot", args=[robot.guid]))]
