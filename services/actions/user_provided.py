"""User-provided instances: credentials that a team has from elsewhere and gives to its apps."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from paas.lib.errors import Unprocessable
from services import usage
from services.actions import binding as bindings
from services.actions import instance as instances
from services.actions.instance import DESCRIBED
from services.actions.operation import ended
from services.models import Operation, ServiceInstance
from tenants.access import authorize
from tenants.models import Space


@transaction.atomic
def create(
    actor: User,
    space: Space,
    *,
    name: str,
    credentials: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    **urls: str | None,
) -> ServiceInstance:
    """Keep the credentials under a name; nobody is asked, so it is there at once."""
    authorize(actor, "service.create", space)
    _check_urls(urls)
    found = instances.reserve(
        space, name=name, tags=tags, metadata=metadata, type=ServiceInstance.Type.USER_PROVIDED,
        credentials=credentials or {}, asked_by=actor,
    )  # fmt: skip
    audit.record(actor, "audit.user_provided_service_instance.create", found, credentials=audit.HIDDEN)
    usage.record(found, "CREATED")
    return found


@transaction.atomic
def update(
    actor: User,
    instance: ServiceInstance,
    *,
    name: str | None = None,
    credentials: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    **urls: str | None,
) -> ServiceInstance:
    """Change what is given; apps that are bound find other credentials when they are bound again."""
    authorize(actor, "service.create", instance.space)
    _check_urls(urls)
    instance = ServiceInstance.objects.lock(instance.pk)
    before = audit.state(instance, DESCRIBED)
    instances.describe(instance, name=name, tags=tags, metadata=metadata)
    if credentials is not None:
        instance.credentials = credentials
    ended(instance, Operation.Type.UPDATE, by=actor)
    instance.save()
    after, shown = audit.state(instance, DESCRIBED), {"credentials": audit.HIDDEN} if credentials is not None else {}
    event = "audit.user_provided_service_instance.update"
    audit.record(actor, event, instance, before=before, after=after, **shown)
    if before["name"] != instance.name:
        usage.record(instance, "UPDATED")
    return instance


@transaction.atomic
def delete(actor: User, instance: ServiceInstance) -> None:
    """Forget the instance, and take its credentials from the apps that were bound."""
    authorize(actor, "service.delete", instance.space)
    bindings.lock_apps(instance)
    instance = ServiceInstance.objects.lock(instance.pk)
    instances.remove(actor, instance)


@transaction.atomic
def show(actor: User, instance: ServiceInstance) -> dict[str, Any]:
    """Return the credentials; the reading is recorded."""
    authorize(actor, "service.see_credentials", instance.space)
    audit.record(actor, "audit.user_provided_service_instance.show", instance)
    return dict(instance.credentials)


def _check_urls(urls: dict[str, str | None]) -> None:
    if urls.get("syslog_drain_url"):
        raise Unprocessable("Logs cannot be drained from this platform yet. Leave the syslog drain URL out.")
    if urls.get("route_service_url"):
        raise Unprocessable("Route services are not possible on this platform yet. Leave the route service URL out.")
