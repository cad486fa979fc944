"""Sharing instances with other spaces, in whatever organization, and ending that."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from accounts.models import User
from paas.lib.errors import Unprocessable
from services.actions import binding as bindings
from services.actions.operation import OperationUnderWay
from services.models import Plan, ServiceInstance, Share
from tenants.access import authorize, may
from tenants.flags import require_flag
from tenants.models import Space


@transaction.atomic
def share(actor: User, instance: ServiceInstance, *, spaces: Sequence[Space]) -> ServiceInstance:
    """Let apps of the spaces be bound to the instance; whoever shares must develop in them too."""
    authorize(actor, "service.create", instance.space)
    require_flag("service_instance_sharing", actor)
    instance = ServiceInstance.objects.lock(instance.pk)
    for space in spaces:
        _check(actor, instance, space)
        _made, new = Share.objects.get_or_create(instance=instance, space=space)
        if new:
            audit.record(
                actor, "audit.service_instance.share", instance, target_space_guid=space.guid,
                target_space_name=space.name, target_organization_name=space.organization.name,
            )  # fmt: skip
    return instance


def _check(actor: User, instance: ServiceInstance, space: Space) -> None:
    plan = instance.plan
    if plan is None:
        raise Unprocessable("User-provided services cannot be shared.")
    if space.pk == instance.space_id:
        raise Unprocessable(
            f"Unable to share service instance '{instance.name}' with space '{space.guid}'. "
            "Service instances cannot be shared into the space where they were created."
        )
    if not may(actor, "service.create", space) or (space.organization.suspended and not actor.is_admin):
        raise Unprocessable(
            f"Unable to share service instance '{instance.name}' with spaces ['{space.guid}']. Write permission is required "
            "in order to share a service instance with a space and the containing organization must not be suspended."
        )
    if not plan.offering.shareable:
        raise Unprocessable(f"The {plan.offering.name} service does not support service instance sharing.")
    if not Plan.objects.usable_in(space).filter(pk=plan.pk).exists():
        raise Unprocessable(
            f"Access to service {plan.offering.name} and plan {plan.name} is not enabled in "
            f"{space.organization.name}/{space.name}."
        )
    if space.region_id != instance.region_id:
        raise Unprocessable(
            f"The space '{space.name}' is in another region, from where the instance cannot be reached."
        )
    named = ServiceInstance.objects.there().filter(name__iexact=instance.name)
    if named.filter(space=space).exists():
        raise Unprocessable(f"A service instance called {instance.name} already exists in {space.name}.")
    if named.filter(shares__space=space).exclude(pk=instance.pk).exists():
        raise Unprocessable(f"A service instance called {instance.name} has already been shared with {space.name}.")


@transaction.atomic
def unshare(actor: User, instance: ServiceInstance, *, space: Space) -> None:
    """End the sharing with a space; what is bound there is unbound."""
    authorize(actor, "service.create", instance.space)
    instance = ServiceInstance.objects.lock(instance.pk)
    if instance.busy:
        raise OperationUnderWay(instance.name)
    if not Share.objects.filter(instance=instance, space=space).delete()[0]:
        raise Unprocessable(
            f"Unable to unshare service instance from space {space.guid}. Ensure the space exists and the service instance "
            "has been shared to this space."
        )
    bindings.delete_all(instance, by=actor, space=space)
    audit.record(actor, "audit.service_instance.unshare", instance, target_space_guid=space.guid)
