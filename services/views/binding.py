"""Binding apps, showing credentials to who asks for them, and taking them away again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from paas.lib.errors import NotAuthorized
from paas.lib.web import found, tells_errors
from services.actions import binding as actions
from services.forms.bindings import BindForm, ChooseForm
from services.forms.instances import apps
from services.models import Binding, ServiceInstance
from services.views.frame import binding_of, bindings, instance_of, instance_page
from services.views.instance import connect_page, lines_of
from services.views.keys import keys_page
from tenants.access import spaces_with
from tenants.forms import errors_told_in
from tenants.navigation import space_crumbs
from tenants.views.places import demand, person


@login_required
@require_http_methods(["GET", "POST"])
def bind(request: HttpRequest, guid: str) -> HttpResponse:
    instance, user = instance_of(request, guid), person(request)
    _demand_bind(request, instance)
    initial = {"app": request.GET.get("app", "")[:64]}
    form = BindForm(request.POST or None, instance=instance, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        with errors_told_in(form):
            actions.create(
                user, instance, app=asked["app"], name=asked["name"], multiple=asked["multiple"],
                parameters=form.parameters,
            )  # fmt: skip
            messages.success(request, f"{asked['app'].name} is being given its credentials.")
            return redirect("service", instance.guid)
    return instance_page(request, instance, "services/bind.html", form=form)


def _demand_bind(request: HttpRequest, instance: ServiceInstance) -> None:
    """Binding is for who may do it in the instance's space, or in one that it is shared with."""
    places = spaces_with(person(request), "service.bind")
    here = places.filter(pk=instance.space_id) | places.filter(pk__in=instance.shares.values("space"))
    if not here.exists():
        raise NotAuthorized()


@login_required
@require_GET
def choose(request: HttpRequest, guid: str) -> HttpResponse:
    """Which service an app is to be bound to; the next page asks for the rest."""
    user = person(request)
    app = found(apps().visible_to(user).select_related("space__organization").defer("environment"), guid)
    demand(request, "service.bind", app.space)
    form = ChooseForm(request.GET if "service" in request.GET else None, app=app, user=user)
    if form.is_bound and form.is_valid():
        return redirect(f"{reverse('service_bind', args=[form.cleaned_data['service'].guid])}?app={app.guid}")
    bound = bindings(user).filter(app=app)
    context = {
        "app": app,
        "space": app.space,
        "form": form,
        "any": form.fields["service"].queryset.exists(),
        "bound": list(bound.order_by("instance__name", "pk")),
        "crumbs": [*space_crumbs(app.space), (app.name, reverse("app", args=[app.guid]))],
    }
    return render(request, "services/choose.html", context)


@login_required
@require_http_methods(["GET", "POST"])
@tells_errors()
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Says what an app or the holder of a key loses, and takes it away when that is confirmed."""
    binding, user = binding_of(request, guid), person(request)
    of_app = binding.type == Binding.Type.APP
    demand(request, "service.bind" if of_app else "service.create", binding.space)
    if request.method == "POST":
        actions.delete(user, binding)
        app: Any = binding.app
        messages.success(
            request, f"{app.name} is being unbound." if app else f"The key {binding.name} is being deleted."
        )
        return redirect("service" if app else "service_keys", binding.instance.guid)
    (line,) = lines_of(user, [binding])
    context = {"binding": binding, "app": binding.app, "line": line, "of_app": of_app}
    return instance_page(request, binding.instance, "services/unbind.html", **context)


@login_required
@require_POST
@tells_errors()
def show(request: HttpRequest, guid: str) -> HttpResponse:
    """Answer with the credentials, once; they are in no address and no cache, and the reading is recorded."""
    binding = binding_of(request, guid)
    page = keys_page if binding.type == Binding.Type.KEY else connect_page
    shown = actions.show(person(request), binding)["credentials"]
    return page(request, binding.instance, shown=shown, of=binding)
