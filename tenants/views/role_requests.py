"""Pages about requests for roles: asking, seeing what became of it, and deciding with one click."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from paas.lib.web import found, tells_errors
from tenants import access, navigation
from tenants.actions import role_request as actions
from tenants.forms import errors_told_in
from tenants.models import RoleRequest, Space
from tenants.offers import Choices
from tenants.role_forms import AnswerForm, AskForm
from tenants.views.places import organization_seen

PER_PAGE = 25
JOINED = ("user", "organization", "space__organization", "permission__custom_role", "decided_by")


@login_required
@require_GET
def requests(request: HttpRequest, guid: str) -> HttpResponse:
    """What waits for the reader to decide, the reader's own requests, and what was decided before."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    seen = RoleRequest.objects.visible_to(user).filter(organization=organization).select_related(*JOINED)
    others = seen.exclude(user=user)
    shown = {
        "organization": organization,
        "waiting": others.filter(actions.decided_by(user, organization), state=actions.State.PENDING),
        "own": seen.filter(user=user).order_by("-created_at", "-id")[:PER_PAGE],
        "page": Paginator(
            others.exclude(state=actions.State.PENDING).order_by("-decided_at", "-id"), PER_PAGE
        ).get_page(request.GET.get("page")),
        "tabs": navigation.org_tabs(organization, user, "organization_members"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/role_requests.html", shown)


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, guid: str) -> HttpResponse:
    """Which role, where, why and until when."""
    user: Any = request.user
    organization = organization_seen(user, guid)
    access.authorize(user, actions.ASK, organization)
    choices = Choices(organization, Space.objects.visible_to(user))
    form = AskForm(request.POST or None, choices=choices, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with errors_told_in(form):
            place = form.place()
            actions.ask(user, place, role=asked["role"], reason=asked["reason"], expires_at=asked["until"])
            messages.success(request, "Your request is with the people who manage members. You hear by e-mail.")
            return redirect("organization_requests", guid)
    shown = {"organization": organization, "form": form, "crumbs": navigation.org_crumbs(organization)}
    return render(request, "tenants/role_request_ask.html", shown)


@login_required
@require_POST
@tells_errors()
def accept(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    made, given = actions.accept(user, _seen(user, guid), answer=_answer(request))
    holds = f"{made.user.display_name} holds the role {_label(made)}"
    messages.success(request, f"{holds} now." if given else f"{holds} already. The request is closed.")
    return redirect("organization_requests", made.organization.guid)


@login_required
@require_POST
@tells_errors()
def refuse(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    made = actions.refuse(user, _seen(user, guid), answer=_answer(request))
    messages.success(request, f"You refused {made.user.display_name} the role {_label(made)}.")
    return redirect("organization_requests", made.organization.guid)


@login_required
@require_POST
@tells_errors()
def withdraw(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    made = actions.withdraw(user, _seen(user, guid))
    messages.success(request, f"Your request for the role {_label(made)} is withdrawn.")
    return redirect("organization_requests", made.organization.guid)


def _seen(user: Any, guid: str) -> RoleRequest:
    rows = RoleRequest.objects.visible_to(user).select_related(*JOINED)
    return found(rows, guid, "There is no such request, or it is not yours to see.")


def _answer(request: HttpRequest) -> str:
    form = AnswerForm(request.POST)
    form.full_clean()
    return str(form.cleaned_data.get("answer", ""))


def _label(made: RoleRequest) -> str:
    return access.role_label(made.permission)
