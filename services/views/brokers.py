"""Brokers: the platform's and a space's own; what they offer, who may use it, and whether they agree with the platform."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from paas.lib.web import found, tells_errors
from services.actions import broker as actions
from services.forms.brokers import BrokerForm
from services.models import Offering, Plan, ServiceBroker
from services.views import prices
from services.views.frame import services_crumbs, space_of
from tenants.access import authorize, verbs_held
from tenants.forms import errors_told_in
from tenants.models import Space
from tenants.navigation import HOME, Crumb
from tenants.views.places import demand, for_scripts, person, polled

PER_PAGE = 50
OFFERINGS_PER_PAGE = 20
TABS = (("Overview", "broker"), ("Check", "broker_conformance"), ("Settings", "broker_settings"))
State = ServiceBroker.State
STATES = {State.AVAILABLE: ("available", "ready"), State.SYNCHRONIZATION_FAILED: ("no catalogue", "failed")}
VISIBLE = {
    Plan.Visibility.PUBLIC: "Everybody",
    Plan.Visibility.ADMIN: "Nobody yet",
    Plan.Visibility.SPACE: "The space of the broker",
}


def brokers(user: User) -> QuerySet[ServiceBroker]:
    """The brokers that the user sees, without their secrets."""
    joined = ServiceBroker.objects.visible_to(user).select_related("space__organization", "job")
    return joined.defer("credentials", "wish")


def broker_of(request: HttpRequest, guid: str) -> ServiceBroker:
    return found(brokers(person(request)), guid, "There is no such broker, or you have no role in its space.")


def demand_keeping(request: HttpRequest, broker: ServiceBroker) -> None:
    """Refuse the page to who may not change the broker; the action asks again."""
    actions.authorize_for(person(request), broker.space)


def may_keep(user: User, space: Space | None) -> bool:
    return ("service.create" in verbs_held(user, space)) if space else "platform.manage" in verbs_held(user)


def is_reading(broker: ServiceBroker) -> bool:
    return broker.due_at is not None


def standing(broker: ServiceBroker) -> tuple[str, str]:
    """Return how it stands in words, and what chooses their colour."""
    return ("reading its catalogue", "building") if is_reading(broker) else STATES.get(broker.state, ("new", ""))


def crumbs_of(space: Space | None) -> list[Crumb]:
    """The way to the list that a broker stands in."""
    if space is None:
        return [HOME, ("Brokers", reverse("brokers"))]
    return [*services_crumbs(space), ("Brokers", reverse("space_brokers", args=[space.guid]))]


def broker_page(
    request: HttpRequest, broker: ServiceBroker, template: str, *, tab: str = "", **context: Any
) -> HttpResponse:
    """Render a page of a broker: one of its tabs, or one behind them where none is named."""
    user = person(request)
    crumbs = crumbs_of(broker.space)
    around = {
        "broker": broker,
        "space": broker.space,
        "organization": broker.space.organization if broker.space else None,
        "may_keep": may_keep(user, broker.space),
        "may_open": "platform.manage" in verbs_held(user),
        "crumbs": crumbs if tab else [*crumbs, (broker.name, reverse("broker", args=[broker.guid]))],
        "tabs": [(text, reverse(name, args=[broker.guid]), name == tab) for text, name in tabs_of(user, broker)],
    }
    return render(request, f"services/brokers/{template}.html", around | context)


def tabs_of(user: User, broker: ServiceBroker) -> list[tuple[str, str]]:
    """A broker of our own kind has an overview only: the operator's file says the rest."""
    if broker.kind != "osb":
        return [*TABS[:1]]
    return [*TABS] if may_keep(user, broker.space) else [*TABS[:2]]


@login_required
@require_safe
def every(request: HttpRequest) -> HttpResponse:
    """All brokers, for those who run the platform."""
    authorize(person(request), "platform.view")
    return _listed(request, brokers(person(request)), None)


@login_required
@require_safe
def of_space(request: HttpRequest, guid: str) -> HttpResponse:
    """The brokers that serve only the space."""
    space = space_of(request, guid)
    demand(request, "service.view", space)
    return _listed(request, brokers(person(request)).filter(space=space), space)


def _listed(request: HttpRequest, rows: QuerySet[ServiceBroker], space: Space | None) -> HttpResponse:
    counted = rows.annotate(number=Count("offerings", filter=Q(offerings__available=True))).order_by("name", "pk")
    page = Paginator(counted, PER_PAGE).get_page(request.GET.get("page"))
    user = person(request)
    context = {
        "page": page,
        "lines": [(row, *standing(row)) for row in page],
        "space": space,
        "organization": space.organization if space else None,
        "may_keep": may_keep(user, space),
        "crumbs": services_crumbs(space) if space else [HOME],
    }
    return render(request, "services/brokers/listed.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """A broker for the whole platform."""
    authorize(person(request), "platform.manage")
    return _register(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def register_for(request: HttpRequest, guid: str) -> HttpResponse:
    """A broker for one space."""
    space = space_of(request, guid)
    demand(request, "service.create", space)
    return _register(request, space)


def _register(request: HttpRequest, space: Space | None) -> HttpResponse:
    user = person(request)
    form = BrokerForm(request.POST or None, may_open="platform.manage" in verbs_held(user))
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            job = actions.create(user, space, **form.cleaned_data)
            return redirect("broker", job.resource_guid)
    context = {"form": form, "space": space, "organization": space.organization if space else None}
    return render(request, "services/brokers/register.html", context | {"crumbs": crumbs_of(space)})


@login_required
@require_safe
def overview(request: HttpRequest, guid: str) -> HttpResponse:
    broker = broker_of(request, guid)
    rows = Offering.objects.filter(broker=broker).order_by("-available", "name", "pk")
    page = Paginator(rows, OFFERINGS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "offerings": _offerings(broker, list(page)),
        "words": standing(broker),
        "reading": is_reading(broker),
        "told": _told(broker),
    }
    return broker_page(request, broker, "overview", tab="broker", **context)


def _offerings(broker: ServiceBroker, rows: list[Offering]) -> list[dict[str, Any]]:
    """The offerings with their plans, what these cost, who may use them and how many instances there are."""
    plans = Plan.objects.filter(offering__in=rows).select_related("offering")
    there = Count("instances", filter=Q(instances__removed_at=None), distinct=True)
    counted = plans.annotate(number=there, opened=Count("visibilities", distinct=True))
    lines: dict[int, list[dict[str, Any]]] = {row.pk: [] for row in rows}
    for plan in sorted(counted, key=lambda plan: (prices.amount(plan), plan.pk)):
        lines[plan.offering_id].append({"plan": plan, "price": prices.price(plan), "open_to": _open_to(plan)})
    return [{"offering": row, "plans": lines[row.pk]} for row in rows]


def _open_to(plan: Any) -> str:
    if plan.visibility_type == Plan.Visibility.ORGANIZATION:
        return f"{plan.opened} organization{'' if plan.opened == 1 else 's'}"
    return VISIBLE[plan.visibility_type]


def _told(broker: ServiceBroker) -> dict[str, list[str]]:
    """What the last reading of the catalogue said: what is wrong, or what changed."""
    job = broker.job
    errors = [each["detail"] for each in (job.errors if job else [])]
    return {
        "errors": [line for each in errors for line in each.splitlines()],
        "changes": [each["detail"] for each in (job.warnings if job else [])],
    }


@for_scripts
@require_safe
def now(request: HttpRequest, guid: str) -> HttpResponse:
    """Fetched while the catalogue is read; the page is loaded anew when that has ended."""
    broker = broker_of(request, guid)
    context = {"words": standing(broker), "broker": broker}
    return polled(request, "services/brokers/now.html", context, anew=not is_reading(broker))


@login_required
@require_POST
@tells_errors("broker")
def read(request: HttpRequest, guid: str) -> HttpResponse:
    """Have the catalogue read again."""
    broker = broker_of(request, guid)
    actions.update(person(request), broker, url=broker.url)
    messages.success(request, "The catalogue is being read. What it changes is told below when it is done.")
    return redirect("broker", broker.guid)
