"""The frame of every page about services: what is found, where it stands, and what the person may do there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.models import User
from paas.lib.web import found
from services.models import Binding, ServiceInstance
from services.views.kept import has_backups
from tenants.access import verbs_held
from tenants.models import Space
from tenants.navigation import HOME, Crumb, Tab, org_crumbs, space_crumbs, space_tabs
from tenants.views.places import person, space_seen

SECRETS = ("credentials", "parameters", "syslog_drain_url", "wish")
OF_INSTANCE = (*SECRETS, "route_service_url")
OF_BINDING = (*SECRETS, "volume_mounts", "app__environment", *(f"instance__{name}" for name in OF_INSTANCE))
OF_BROKER = ("plan__offering__broker__credentials", "plan__offering__broker__wish")


def instances(user: User) -> QuerySet[ServiceInstance]:
    """The instances that the user sees, with all that pages tell of them and no secret."""
    joined = ("space__organization__quota", "space__quota", "space__use", "plan__offering__broker", "asked_by")
    return ServiceInstance.objects.visible_to(user).select_related(*joined).defer(*OF_INSTANCE, *OF_BROKER)


def bindings(user: User) -> QuerySet[Binding]:
    """The bindings and keys that the user sees, in the same manner."""
    joined = ("app__space__organization", "app__target", "app__serving", "instance__space__organization")
    of_plan = ("instance__plan__offering__broker",)
    secret = [f"instance__{name}" for name in OF_BROKER]
    return Binding.objects.visible_to(user).select_related(*joined, *of_plan).defer(*OF_BINDING, *secret)


def instance_of(request: HttpRequest, guid: str) -> ServiceInstance:
    return found(instances(person(request)), guid)


def provided_of(request: HttpRequest, guid: str) -> ServiceInstance:
    """The user-provided instance; of others nothing of the kind is there."""
    return found(instances(person(request)).filter(plan=None), guid)


def managed_of(request: HttpRequest, guid: str) -> ServiceInstance:
    return found(instances(person(request)).exclude(plan=None), guid)


def binding_of(request: HttpRequest, guid: str) -> Binding:
    """Return the binding, if its instance is to be seen, too."""
    return found(bindings(person(request)), guid, "There is no such binding or key, or you have no role in its space.")


def space_of(request: HttpRequest, guid: str) -> Space:
    return space_seen(person(request), guid)


def is_own(instance: ServiceInstance) -> bool:
    """Whether it runs on the platform's own engine, of which more is known."""
    return instance.plan is not None and instance.plan.offering.broker.kind == "container"


def space_page(request: HttpRequest, space: Space, template: str, *, tab: str = "", **context: Any) -> HttpResponse:
    """Render a page of a space: the tab that lists services, or one behind it where none is named."""
    around = {
        "space": space,
        "organization": space.organization,
        "may": verbs_held(person(request), space),
        "crumbs": org_crumbs(space.organization) if tab else services_crumbs(space),
        "tabs": space_tabs(space, person(request), tab),
    }
    return render(request, template, around | context)


def instance_page(
    request: HttpRequest, instance: ServiceInstance, template: str, *, tab: str = "", **context: Any
) -> HttpResponse:
    """Render a page of an instance. ``may`` holds the verbs in its own space, of which others see only the sharing."""
    may = verbs_held(person(request), instance.space)
    around = {
        "instance": instance,
        "space": instance.space,
        "organization": instance.space.organization,
        "may": may,
        "foreign": "space.view" not in may,
        "crumbs": _crumbs(request, instance, may, inside=not tab),
        "tabs": instance_tabs(instance, may, tab),
    }
    return render(request, template, around | context)


def services_crumbs(space: Space) -> list[Crumb]:
    return [*space_crumbs(space), ("Services", reverse("space_services", args=[space.guid]))]


def _crumbs(request: HttpRequest, instance: ServiceInstance, may: set[str], *, inside: bool) -> list[Crumb]:
    itself = [(instance.name, reverse("service", args=[instance.guid]))] if inside else []
    if "space.view" in may:
        return [*services_crumbs(instance.space), *itself]
    shared = Space.objects.visible_to(person(request)).filter(shares__instance=instance)
    space = shared.select_related("organization").first()
    return [*(services_crumbs(space) if space else [HOME]), *itself]


def instance_tabs(instance: ServiceInstance, may: set[str], current: str) -> list[Tab]:
    tabs = (
        ("Overview", "service", True),
        ("Connect", "service_connect", True),
        ("Keys", "service_keys", "space.view" in may),
        ("Plan", "service_plans", instance.managed and "space.view" in may),
        ("Backups", "service_backups", has_backups(instance.plan) and "space.view" in may),
        ("Metrics", "service_metrics", is_own(instance)),
        ("Events", "service_events", "audit.read" in may),
        ("Settings", "service_settings", "space.view" in may),
    )
    return [(text, reverse(name, args=[instance.guid]), name == current) for text, name, there in tabs if there]
