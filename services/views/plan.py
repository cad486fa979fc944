"""Another plan for an instance, other parameters, a newer version: what changes is told before it is asked for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from paas.lib.errors import NotFound
from paas.lib.models import by_guid
from paas.lib.web import tells_errors
from services import live
from services.actions import instance as actions
from services.actions import parameters as readings
from services.forms.parameters import ParametersForm
from services.models import Plan, ServiceInstance
from services.views import prices
from services.views.frame import instance_page, is_own, managed_of
from services.views.instance import bound_apps
from tenants.forms import errors_told_in
from tenants.views.places import demand, person


@login_required
@require_safe
def plans(request: HttpRequest, guid: str) -> HttpResponse:
    """The plan that it has, beside those that it may have instead."""
    return _plans(request, _seen(request, guid))


def _seen(request: HttpRequest, guid: str) -> ServiceInstance:
    instance = managed_of(request, guid)
    demand(request, "service.view", instance.space)
    return instance


def _plans(request: HttpRequest, instance: ServiceInstance, **shown: Any) -> HttpResponse:
    now: Any = instance.plan
    others = Plan.objects.visible_to(person(request)).filter(offering=now.offering_id, available=True)
    rows = others.exclude(pk=now.pk).select_related("offering__broker") if now.can_change_plan else []
    context = {
        "now": prices.Offer(now, prices.price(now), prices.points(now), "", ""),
        "offers": prices.offers(rows, instance.space, room=False),
        "own": is_own(instance),
    }
    return instance_page(request, instance, "services/plans.html", tab="service_plans", **context, **shown)


@login_required
@require_http_methods(["GET", "POST"])
def change_plan(request: HttpRequest, guid: str, plan: str) -> HttpResponse:
    """Says what changes and for how long apps are without it, and takes the parameters that the new plan knows."""
    instance = managed_of(request, guid)
    demand(request, "service.create", instance.space)
    now: Any = instance.plan
    usable = Plan.objects.usable_in(instance.space).filter(offering=now.offering_id).exclude(pk=now.pk)
    wished = by_guid(usable.select_related("offering__broker"), plan)
    if wished is None or not now.can_change_plan:
        raise NotFound("There is no such plan that this service can change to.")
    return _change(request, instance, wished, plan=wished)


@login_required
@require_http_methods(["GET", "POST"])
def change_parameters(request: HttpRequest, guid: str) -> HttpResponse:
    instance = managed_of(request, guid)
    demand(request, "service.create", instance.space)
    return _change(request, instance, instance.plan)


@login_required
@require_http_methods(["GET", "POST"])
def upgrade(request: HttpRequest, guid: str) -> HttpResponse:
    """To the version that its plan has now."""
    instance = managed_of(request, guid)
    demand(request, "service.create", instance.space)
    now: Any = instance.plan
    return _change(request, instance, now, version=now.maintenance_info.get("version", ""))


def _change(request: HttpRequest, instance: ServiceInstance, target: Any, **wish: Any) -> HttpResponse:
    form = ParametersForm(request.POST if request.method == "POST" else None, schema=target.update_schema)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            if not wish and form.parameters is None:
                messages.success(request, "Nothing was chosen, so nothing changes.")
                return redirect("service_plans", instance.guid)
            actions.update(person(request), instance, parameters=form.parameters, **wish)
            return redirect("service", instance.guid)
    (offer,) = prices.offers([target], instance.space, room=False)
    apps = bound_apps(person(request), instance)
    context: dict[str, Any] = {
        "form": form,
        "offer": offer,
        "price": prices.price(instance.plan),
        "own": is_own(instance),
        "rows": apps,
    }
    return instance_page(request, instance, "services/change.html", **context, **wish)


@login_required
@require_POST
@tells_errors("service_plans")
def show_parameters(request: HttpRequest, guid: str) -> HttpResponse:
    """Ask the broker for the parameters that are in force; they may hold secrets, and the reading is recorded."""
    instance = _seen(request, guid)
    readings.ask_of_instance(person(request), instance)
    return _plans(request, instance, parameters=live.parameters_of(instance))
