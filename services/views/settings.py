"""An instance's settings: what it is called, whom it is shared with, and the way to its deletion."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from paas.lib.web import found, tells_errors
from services.actions import instance as instances
from services.actions import sharing, user_provided
from services.forms.instances import NameForm, ShareForm
from services.models import Binding, ServiceInstance
from services.views.deletion import may_purge
from services.views.frame import instance_of, instance_page
from tenants.forms import errors_told_in
from tenants.views.places import demand, person


@login_required
@require_safe
def settings(request: HttpRequest, guid: str) -> HttpResponse:
    instance = instance_of(request, guid)
    demand(request, "service.view", instance.space)
    return _settings(request, instance)


def _settings(request: HttpRequest, instance: ServiceInstance, **refused: Any) -> HttpResponse:
    """Show every form; the one that was refused comes with what was typed."""
    spaces = instance.shared_spaces.select_related("organization").order_by("organization__name", "name")
    context = {
        "rename": NameForm(initial=NameForm.of(instance), auto_id="rename_%s"),
        "share": ShareForm(instance=instance, user=person(request), auto_id="share_%s"),
        "spaces": list(spaces),
        "shareable": bool(instance.plan and instance.plan.offering.shareable),
        "refused": next(iter(refused.values()), None),
        "may_purge": may_purge(person(request), instance),
    }
    return instance_page(request, instance, "services/settings.html", tab="service_settings", **(context | refused))


@login_required
@require_POST
def rename(request: HttpRequest, guid: str) -> HttpResponse:
    instance = instance_of(request, guid)
    demand(request, "service.create", instance.space)
    form = NameForm(request.POST, auto_id="rename_%s")
    if form.is_valid():
        with errors_told_in(form):
            change = instances.update if instance.managed else user_provided.update
            change(person(request), instance, name=form.cleaned_data["name"], tags=form.cleaned_data["tags"])
            messages.success(request, "Saved. Apps that are bound find the new name when they are started again.")
            return redirect("service_settings", guid)
    return _settings(request, instance, rename=form)


@login_required
@require_POST
def share(request: HttpRequest, guid: str) -> HttpResponse:
    instance, user = instance_of(request, guid), person(request)
    demand(request, "service.create", instance.space)
    form = ShareForm(request.POST, instance=instance, user=user, auto_id="share_%s")
    if form.is_valid():
        space = form.cleaned_data["space"]
        with errors_told_in(form):
            sharing.share(user, instance, spaces=[space])
            messages.success(request, f"{instance.name} is shared with {space.name}: apps there can be bound to it.")
            return redirect("service_settings", guid)
    return _settings(request, instance, share=form)


@login_required
@require_http_methods(["GET", "POST"])
@tells_errors()
def unshare(request: HttpRequest, guid: str, space: str) -> HttpResponse:
    """Says which apps there lose it, and ends the sharing when that is confirmed."""
    instance = instance_of(request, guid)
    demand(request, "service.create", instance.space)
    there = instance.shared_spaces.select_related("organization")
    place = found(there, space, f"{instance.name} is not shared with such a space.")
    if request.method == "POST":
        sharing.unshare(person(request), instance, space=place)
        messages.success(request, f"{instance.name} is no longer shared with {place.name}.")
        return redirect("service_settings", instance.guid)
    bound = Binding.objects.there().filter(instance=instance, app__space=place)
    names = list(bound.order_by("app__name").values_list("app__name", flat=True).distinct())
    return instance_page(request, instance, "services/unshare.html", place=place, names=names)
