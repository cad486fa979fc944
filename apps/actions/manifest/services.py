"""Binds the services that a manifest names to an app."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import Job, User
from apps.actions.manifest.wanted import WantedApp, WantedService
from apps.models import App
from paas.lib.errors import Unprocessable
from services.actions import binding as bindings
from services.models import Binding, Operation, ServiceInstance, Share


def apply(app: App, wanted: WantedApp, *, by: User, job: Job) -> bool:
    """Bind what is not bound yet; return whether ``job`` has to wait for a broker."""
    waits = False
    for one in wanted.services:
        instance = _instance(app, one, by)
        there = Binding.objects.there().filter(app=app, instance=instance)
        if not there.exclude(operation_type=Operation.Type.CREATE, operation_state=Operation.State.FAILED).exists():
            made = bindings.create(
                by, instance, app=app, name=one.binding_name, parameters=one.parameters or None, job=job
            )
            waits |= made.busy
    return waits


def _instance(app: App, wanted: WantedService, actor: User) -> ServiceInstance:
    here = Q(space=app.space) | Q(pk__in=Share.objects.filter(space=app.space).values("instance"))
    named = ServiceInstance.objects.visible_to(actor).filter(here, name__iexact=wanted.name)
    found: ServiceInstance | None = named.select_related("space__organization", "plan__offering").first()
    if found is None:
        raise Unprocessable(f"Service instance '{wanted.name}' not found")
    return found
