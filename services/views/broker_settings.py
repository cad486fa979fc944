"""Changing a broker, who may use its plans, forgetting what it offers, and deleting it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from paas.lib.errors import NotFound
from paas.lib.web import found
from services.actions import broker as actions
from services.actions import offering as offerings
from services.actions import plan as plans
from services.forms.brokers import MOST, BrokerForm, VisibilityForm
from services.models import Binding, Offering, Plan, ServiceBroker, ServiceInstance
from services.views.brokers import broker_of, broker_page, demand_keeping
from tenants.access import authorize, verbs_held
from tenants.forms import ConfirmForm, errors_told_in
from tenants.models import Organization
from tenants.views.places import person

OWN = "This is the platform's own broker: what it offers stands in the file of its plans, which the operator edits."


@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, guid: str) -> HttpResponse:
    broker, user = _kept(request, guid), person(request)
    may_open = "platform.manage" in verbs_held(user)
    form = BrokerForm(request.POST or None, initial=BrokerForm.of(broker), changes=True, may_open=may_open)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            wish = form.changed(broker)
            job = actions.update(user, broker, name=wish.pop("name", ""), **wish)
            messages.success(
                request, "The catalogue is read there; then the change holds." if job else "The name is saved."
            )
            return redirect("broker", broker.guid)
    return broker_page(request, broker, "settings", tab="broker_settings", form=form)


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Asks for the broker's name; one that has instances stays."""
    broker, user = _kept(request, guid), person(request)
    form = ConfirmForm(request.POST or None, expected=broker.name)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            actions.delete(user, broker)
            messages.success(request, f"The broker {broker.name} is deleted.")
            return redirect("space_brokers", broker.space.guid) if broker.space else redirect("brokers")
    context = {
        "form": form,
        "names": list(Offering.objects.filter(broker=broker).order_by("name").values_list("name", flat=True)),
        "instances": ServiceInstance.objects.there().filter(plan__offering__broker=broker).count(),
    }
    return broker_page(request, broker, "delete", **context)


@login_required
@require_http_methods(["GET", "POST"])
def purge(request: HttpRequest, guid: str, offering: str) -> HttpResponse:
    """Forget an offering and all that was made of it, without asking the broker; asks for its name."""
    broker = _kept(request, guid)
    row = found(Offering.objects.filter(broker=broker), offering, "The broker has no such offering.")
    form = ConfirmForm(request.POST or None, expected=row.name)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            offerings.purge(person(request), row)
            messages.success(request, f"{row.name} and all that was made of it is forgotten.")
            return redirect("broker", broker.guid)
    there = ServiceInstance.objects.there().filter(plan__offering=row)
    context = {
        "form": form,
        "offering": row,
        "instances": list(there.select_related("space__organization").order_by("name", "pk")[:MOST]),
        "count": there.count(),
        "bindings": Binding.objects.there().filter(instance__in=there).count(),
    }
    return broker_page(request, broker, "purge", **context)


@login_required
@require_http_methods(["GET", "POST"])
def visibility(request: HttpRequest, guid: str, plan: str) -> HttpResponse:
    """Who may make instances of a plan: everybody, chosen organizations, or nobody yet."""
    broker, user = broker_of(request, guid), person(request)
    if broker.space_id:
        raise NotFound("The plans of a space's own broker are for that space alone.")
    authorize(user, "platform.manage")
    row = found(Plan.objects.filter(offering__broker=broker).select_related("offering"), plan, "There is no such plan.")
    open_to = Organization.objects.filter(plan_visibilities__plan=row).order_by("name")
    names = list(open_to.values_list("name", flat=True)[: MOST + 1])
    given = {"type": row.visibility_type, "organizations": "\n".join(names)}
    form = VisibilityForm(request.POST or None, initial=given, user=user)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            asked = form.cleaned_data
            plans.set_visibility(user, row, type=asked["type"], organizations=asked["organizations"])
            messages.success(request, f"Saved who may use {row.name}. What was made of it before stays.")
            return redirect("broker", broker.guid)
    return broker_page(request, broker, "visibility", form=form, plan=row, too_many=len(names) > MOST)


def _kept(request: HttpRequest, guid: str) -> ServiceBroker:
    """The broker, for who may change it; those of our own kinds are not changed here."""
    broker = broker_of(request, guid)
    demand_keeping(request, broker)
    if broker.kind != "osb":
        raise NotFound(OWN)
    return broker
