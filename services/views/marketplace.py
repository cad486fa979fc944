"""The marketplace of a space: what is offered, the plans side by side, and the form that makes an instance of one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from paas.lib.web import found
from services.actions import instance as actions
from services.forms.instances import NewForm
from services.models import Offering, Plan
from services.views import prices
from services.views.frame import services_crumbs, space_of, space_page
from tenants.forms import errors_told_in
from tenants.models import Space
from tenants.navigation import Crumb
from tenants.views.figures import figure
from tenants.views.places import Figure, demand, person

PER_PAGE = 20
SHOWN = ("guid", "name", "costs", "free", "offering")


def _plans(user: User) -> QuerySet[Plan]:
    return Plan.objects.visible_to(user).filter(available=True)


def _offerings(plans: QuerySet[Plan], space: Space) -> QuerySet[Offering]:
    """What has one of the plans; what the space may use comes first."""
    usable = Q(pk__in=Plan.objects.usable_in(space).values("offering"))
    there = Offering.objects.filter(available=True, pk__in=plans.values("offering"))
    there = there.annotate(usable=ExpressionWrapper(usable, BooleanField()))
    return there.select_related("broker").defer("broker__credentials", "broker__wish")


@login_required
@require_safe
def marketplace(request: HttpRequest, guid: str) -> HttpResponse:
    space, user = space_of(request, guid), person(request)
    demand(request, "service.view", space)
    words = request.GET.get("q", "").replace("\0", "").strip()[:200]
    plans = _plans(user)
    rows = _offerings(plans, space).filter(Q(name__icontains=words) | Q(description__icontains=words))
    rows = rows.prefetch_related(Prefetch("plans", plans.only(*SHOWN), to_attr="seen"))
    page = Paginator(rows.order_by("-usable", "name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    lines = [{"offering": row, "count": len(row.seen), "least": prices.least(row.seen)} for row in page]
    return space_page(request, space, "services/marketplace.html", page=page, lines=lines, words=words)


@login_required
@require_safe
def offering(request: HttpRequest, guid: str, offering: str) -> HttpResponse:
    space, user = space_of(request, guid), person(request)
    demand(request, "service.view", space)
    plans = _plans(user)
    row = found(_offerings(plans, space), offering)
    offers = prices.offers(plans.filter(offering=row).select_related("offering__broker"), space)
    return space_page(request, space, "services/offering.html", offering=row, offers=offers, crumbs=_crumbs(space))


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str, plan: str) -> HttpResponse:
    """The form of a plan; what the machine has room for and the quota allows is told before it is sent."""
    space, user = space_of(request, guid), person(request)
    demand(request, "service.create", space)
    chosen = _plan(space, plan)
    given = {"name": request.GET.get("name", "")[:255], "app": request.GET.get("app", "")[:64]}
    form = NewForm(request.POST or None, plan=chosen, space=space, user=user, initial=given)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with errors_told_in(form):
            made, _job = actions.create(
                user, space, plan=chosen, name=asked["name"], tags=asked["tags"], parameters=form.parameters,
                app=asked.get("app"),
            )  # fmt: skip
            return redirect("service", made.guid)
    (offer,) = prices.offers([chosen], space, room=request.method == "GET")
    context = {"form": form, "offer": offer, "offering": chosen.offering, "figures": use_after(space)}
    context["crumbs"] = [*_crumbs(space), _crumb(space, chosen.offering)]
    return space_page(request, space, "services/create.html", **context)


def _crumbs(space: Space) -> list[Crumb]:
    return [*services_crumbs(space), ("Marketplace", reverse("marketplace", args=[space.guid]))]


def _crumb(space: Space, row: Offering) -> Crumb:
    return row.broker_metadata.get("displayName") or row.name, reverse("offering", args=[space.guid, row.guid])


def _plan(space: Space, guid: str) -> Plan:
    usable = Plan.objects.usable_in(space).select_related("offering__broker")
    return found(usable, guid, "There is no such plan, or it is not open to this space.")


def use_after(space: Space) -> list[tuple[str, Figure]]:
    """How many services there will be with one more, of what the quotas allow."""
    organization = space.organization
    places = ((organization.name, organization.use, organization.quota), (space.name, space.use, space.quota))
    return [
        (name, figure("service_instances", use.service_instances + 1, quota.total_service_instances))
        for name, use, quota in places
        if quota is not None
    ]
