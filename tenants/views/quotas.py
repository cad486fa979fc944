"""Pages about quotas: what an organization uses by space, asking for more, and deciding about that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from paas.lib.errors import Unprocessable
from paas.lib.web import found, tells_errors
from tenants import access, navigation
from tenants.actions import quota_request as actions
from tenants.forms import errors_told_in
from tenants.models import Organization, OrganizationQuota, QuotaRequest, Space, SpaceQuota
from tenants.quota_forms import DecideForm, MoreForm
from tenants.views.figures import all_figures, high, in_organization
from tenants.views.places import limits, organization_seen, space_seen

PER_PAGE = 50
JOINED = ("asked_by", "organization__quota", "space__quota", "space__organization", "decided_by")


@login_required
@require_GET
def organization_use(request: HttpRequest, guid: str) -> HttpResponse:
    """How much of its quota it uses, and which space how much of that."""
    user: Any = request.user
    found = organization_seen(user, guid)
    access.authorize(user, "usage.view", found)
    spaces = Space.objects.visible_to(user).filter(organization=found).select_related("use", "quota")
    page = Paginator(spaces.order_by("-use__memory_mb", Lower("name"), "id"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    shown = {
        "organization": found,
        "page": page,
        "listed": [(row, in_organization(row, found)) for row in page],
        "figures": all_figures(found.use, found.quota),
        "high": high(found.use, found.quota),
        "warned_at": found.use.warned_at,
        "limits": limits(found.quota),
        "may": access.verbs_held(user, found),
        "waiting": _seen_by(user).filter(organization=found, state=actions.State.PENDING).count(),
        "tabs": navigation.org_tabs(found, user, "organization_use"),
        "crumbs": [navigation.HOME],
    }
    return render(request, "tenants/organization_use.html", shown)


@login_required
@require_GET
def organization_requests(request: HttpRequest, guid: str) -> HttpResponse:
    """The requests for the organization and its spaces that the reader may see, and decide about if it is theirs to."""
    user: Any = request.user
    found = organization_seen(user, guid)
    shown = {
        "organization": found,
        "tabs": navigation.org_tabs(found, user, "organization_use"),
        "crumbs": [navigation.HOME],
        "may_ask": access.may(user, actions.ASK, found),
        **_listed(request, _seen_by(user).filter(organization=found)),
    }
    return render(request, "tenants/quota_requests.html", shown)


@login_required
@require_GET
def platform_requests(request: HttpRequest) -> HttpResponse:
    """What organizations ask the platform's admins for."""
    user: Any = request.user
    access.authorize(user, "platform.manage")
    shown = _listed(request, _seen_by(user).filter(space=None))
    return render(request, "tenants/platform_quota_requests.html", shown | {"crumbs": [navigation.HOME]})


@login_required
@require_http_methods(["GET", "POST"])
def organization_ask(request: HttpRequest, guid: str) -> HttpResponse:
    return _ask(request, organization_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_http_methods(["GET", "POST"])
def space_ask(request: HttpRequest, guid: str) -> HttpResponse:
    return _ask(request, space_seen(request.user, guid))  # type: ignore[arg-type]


@login_required
@require_POST
@tells_errors()
def accept(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = _seen(user, guid)
    decided = _decision(request, found)
    made = actions.accept(user, found, quota=decided.get("quota"), answer=decided.get("answer", ""))
    messages.success(request, f"{made.place.name} has the quota {actions.quota_of(made.place).name} now.")
    return _back(user, made)


@login_required
@require_POST
@tells_errors()
def refuse(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    found = _seen(user, guid)
    made = actions.refuse(user, found, answer=_decision(request, found).get("answer", ""))
    messages.success(request, f"You refused {made.place.name} a larger quota.")
    return _back(user, made)


@login_required
@require_POST
@tells_errors()
def withdraw(request: HttpRequest, guid: str) -> HttpResponse:
    user: Any = request.user
    made = actions.withdraw(user, _seen(user, guid))
    messages.success(request, f"Your request for {made.place.name} is withdrawn.")
    return redirect("organization_quota_requests", made.organization.guid)


def _ask(request: HttpRequest, place: Organization | Space) -> HttpResponse:
    user: Any = request.user
    access.authorize(user, actions.ASK, place)
    space = place if isinstance(place, Space) else None
    quota = place.quota
    form = MoreForm(request.POST or None, quota=quota) if quota else None
    if request.method == "POST" and form and form.is_valid():
        with errors_told_in(form):
            actions.ask(user, place, limits=form.limits(), reason=form.cleaned_data["reason"])
            messages.success(request, "Your request is with the people who decide. You hear by e-mail.")
            return redirect("organization_quota_requests", place.organization.guid)
    crumbs = navigation.space_crumbs(space) if space else navigation.org_crumbs(place.organization)
    shown = {"place": place, "space": space, "organization": place.organization, "quota": quota, "form": form}
    return render(request, "tenants/quota_ask.html", shown | {"crumbs": crumbs})


def _listed(request: HttpRequest, rows: QuerySet[QuotaRequest]) -> dict[str, Any]:
    """Return what waits, each with its figures in words and whether the reader decides about it; and what does not."""
    user: Any = request.user
    decided = rows.exclude(state=actions.State.PENDING).order_by("-decided_at", "-id")
    page = Paginator(decided, PER_PAGE).get_page(request.GET.get("page"))
    waiting = list(rows.filter(state=actions.State.PENDING).order_by("created_at", "id"))
    admin = access.may(user, "platform.manage")
    sets = set(Organization.objects.where(user, "quota.manage").values_list("pk", flat=True)) if waiting else set()
    spaces = [row.organization_id for row in waiting if row.space_id]
    own: dict[int, list[SpaceQuota]] = {}
    for quota in SpaceQuota.objects.filter(organization__in=spaces).order_by("name"):
        own.setdefault(quota.organization_id, []).append(quota)
    everybodys = list(OrganizationQuota.objects.order_by("name")) if waiting and admin else []
    return {
        "waiting": [
            {
                "wish": row,
                "words": actions.compared(row),
                "decides": row.organization_id in sets if row.space_id else admin,
                "quotas": own.get(row.organization_id, []) if row.space_id else everybodys,
            }
            for row in waiting
        ],
        "page": page,
        "decided": [(row, actions.worded(row.limits)) for row in page],
    }


def _seen_by(user: Any) -> QuerySet[QuotaRequest]:
    return QuotaRequest.objects.visible_to(user).select_related(*JOINED)


def _seen(user: Any, guid: str) -> QuotaRequest:
    return found(_seen_by(user), guid, "There is no such request, or it is not yours to see.")


def _decision(request: HttpRequest, found: QuotaRequest) -> dict[str, Any]:
    form = DecideForm(request.POST, request=found)
    if not form.is_valid():
        raise Unprocessable("The quota is not there any more, or the answer is too long. Try again.")
    return form.cleaned_data


def _back(user: Any, made: QuotaRequest) -> HttpResponse:
    if made.space is None and access.may(user, "platform.manage"):
        return redirect("platform_quota_requests")
    return redirect("organization_quota_requests", made.organization.guid)
