"""Deleting an instance, or forgetting one whose broker does not let go of it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.models import User
from paas.lib.errors import NotAuthorized
from services.actions import instance as actions
from services.actions import user_provided
from services.models import Binding, Repository, ServiceInstance
from services.views.frame import instance_of, instance_page, is_own, managed_of
from services.views.instance import bound_apps
from tenants.access import verbs_held
from tenants.forms import ConfirmForm, errors_told_in
from tenants.views.places import demand, person


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Names what loses it, and asks for its own name."""
    instance = instance_of(request, guid)
    demand(request, "service.delete", instance.space)
    return _remove(request, instance, purge=False)


@login_required
@require_http_methods(["GET", "POST"])
def purge(request: HttpRequest, guid: str) -> HttpResponse:
    """Forget it without asking its broker, which may be gone for good."""
    instance = managed_of(request, guid)
    if not may_purge(person(request), instance):
        raise NotAuthorized()
    return _remove(request, instance, purge=True)


def may_purge(user: User, instance: ServiceInstance) -> bool:
    """Whether the user may forget it: the platform's admins, and for a broker of the space's own who may delete there."""
    own = instance.plan is not None and instance.plan.offering.broker.space_id == instance.space_id
    return instance.managed and ("service.delete" if own else "platform.manage") in verbs_held(user, instance.space)


def _remove(request: HttpRequest, instance: ServiceInstance, *, purge: bool) -> HttpResponse:
    form = ConfirmForm(request.POST or None, expected=instance.name)
    if request.method == "POST" and form.is_valid():
        with errors_told_in(form):
            user = person(request)
            if purge or not instance.managed:
                (actions.purge if purge else user_provided.delete)(user, instance)
                messages.success(request, f"{instance.name} is {'forgotten' if purge else 'deleted'}.")
                return redirect("space_services", instance.space.guid)
            actions.delete(user, instance)
            return redirect("service", instance.guid)
    seen = bound_apps(person(request), instance)
    there = Binding.objects.there().filter(instance=instance)
    context = {
        "form": form,
        "purge": purge,
        "rows": seen,
        "elsewhere": there.filter(type=Binding.Type.APP).count() - len(seen),
        "keys": list(there.filter(type=Binding.Type.KEY).order_by("name").values_list("name", flat=True)),
        "shared": instance.shares.count(),
        "kept": Repository.objects.filter(instance=instance, backups__isnull=False).exists(),
        "own": is_own(instance),
    }
    return instance_page(request, instance, "services/delete.html", **context)
