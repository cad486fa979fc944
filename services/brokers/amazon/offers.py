"""What the marketplace shows of the services at Amazon."""

from __future__ import annotations

from services.brokers.base import CatalogOffering, CatalogPlan

from .base import Kind
from .plans import Offer, Plan

LONGEST_OPERATION = 3 * 24 * 3600  # seconds: a large database takes hours to change


def offering(offer: Offer, kind: Kind) -> CatalogOffering:
    return CatalogOffering(
        id=offer.id,
        name=offer.name,
        description=offer.description,
        plans=tuple(_plan(plan, kind) for plan in offer.plans if not plan.retired),
        plan_updateable=kind.plan_updateable,
        instances_retrievable=True,
        bindings_retrievable=True,
        tags=kind.tags,
        metadata={"displayName": offer.title, "longDescription": offer.about, "shareable": True},
    )


def _plan(plan: Plan, kind: Kind) -> CatalogPlan:
    return CatalogPlan(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        free=plan.free,
        maximum_polling_duration=LONGEST_OPERATION,
        create_schema=kind.schemas.create,
        update_schema=kind.schemas.update,
        bind_schema=kind.schemas.bind,
        metadata={
            "displayName": plan.name,
            "bullets": [*plan.bullets],
            "costs": [{"amount": {"gbp": plan.monthly_gbp}, "unit": "MONTHLY"}],
        },
    )
