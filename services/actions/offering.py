"""Describing offerings, deleting those that nothing uses, and purging them with all that was made of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from services.actions import broker as brokers
from services.actions import instance as instances
from services.models import Binding, Offering, Plan, ServiceInstance


@transaction.atomic
def update(actor: User, offering: Offering, *, metadata: dict[str, Any] | None = None) -> Offering:
    """Change labels and annotations; everything else is the broker's."""
    brokers.authorize_for(actor, offering.broker.space)
    offering = Offering.objects.lock(offering.pk)
    for name, value in merged(offering, metadata or {}).items():
        setattr(offering, name, value)
    offering.save(update_fields=["labels", "annotations", "updated_at"])
    _record(actor, "audit.service.update", offering, metadata=metadata or {})
    return offering


@transaction.atomic
def delete(actor: User, offering: Offering) -> None:
    """Delete an offering without instances; it comes back with the next catalogue that names it."""
    brokers.authorize_for(actor, offering.broker.space)
    offering = Offering.objects.lock(offering.pk)
    if ServiceInstance.objects.filter(plan__offering=offering).exists():
        raise Unprocessable(
            "Service offering has instances. Delete them first, or purge the offering: "
            "then they are forgotten here without the broker being told."
        )
    _remove(actor, offering)


@transaction.atomic
def purge(actor: User, offering: Offering) -> None:
    """Forget an offering, its instances and their bindings without telling the broker, which may be gone for good."""
    brokers.authorize_for(actor, offering.broker.space)
    offering = Offering.objects.lock(offering.pk)
    rows = ServiceInstance.objects.filter(plan__offering=offering)
    for instance in rows.there().order_by("pk"):
        instances.purge(actor, instance)
    Binding.objects.filter(instance__in=rows).delete()  # what is left had been removed, and waited for the broker
    rows.delete()
    _remove(actor, offering)


def _remove(actor: User, offering: Offering) -> None:
    _record(actor, "audit.service.delete", offering)
    Plan.objects.filter(offering=offering).delete()
    offering.delete()


def _record(actor: User, type: str, offering: Offering, **data: Any) -> None:
    audit.record(actor, type, offering, space=offering.broker.space, broker=offering.broker.name, **data)
