"""Keys: credentials for a person or a program outside of the platform."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from services.actions import binding as actions
from services.forms.bindings import KeyForm
from services.models import Binding, ServiceInstance
from services.views.frame import bindings, instance_of, instance_page
from services.views.standing import standing
from tenants.forms import errors_told_in
from tenants.views.places import demand, person


@login_required
@require_safe
def keys(request: HttpRequest, guid: str) -> HttpResponse:
    instance = instance_of(request, guid)
    demand(request, "service.view", instance.space)
    return keys_page(request, instance)


def keys_page(request: HttpRequest, instance: ServiceInstance, **shown: Any) -> HttpResponse:
    rows = bindings(person(request)).filter(instance=instance, type=Binding.Type.KEY).order_by("name", "pk")
    lines = [{"key": row, "standing": standing(row)} for row in rows]
    going_on = any(line["key"].busy for line in lines)
    context = {"lines": lines, "going_on": going_on and not shown}
    return instance_page(request, instance, "services/keys.html", tab="service_keys", **context, **shown)


@login_required
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, guid: str) -> HttpResponse:
    instance, user = instance_of(request, guid), person(request)
    demand(request, "service.create", instance.space)
    form = KeyForm(request.POST or None, schema=instance.plan.bind_schema if instance.plan else {})
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            made = actions.create_key(user, instance, name=form.cleaned_data["name"], parameters=form.parameters)
            messages.success(request, f"The key {made.name} is being made. Show its credentials when it is ready.")
            return redirect("service_keys", instance.guid)
    return instance_page(request, instance, "services/key_create.html", form=form)
