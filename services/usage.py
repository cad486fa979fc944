"""Writes what services cost: an event for every instance that comes, changes or goes."""

from __future__ import annotations

from accounts import audit
from services.models import ServiceInstance

TYPES = {"managed": "managed_service_instance", "user-provided": "user_provided_service_instance"}


def record(instance: ServiceInstance, state: str) -> None:
    """Write CREATED, UPDATED or DELETED, with the plan as it is now."""
    plan = instance.plan
    of_plan = {
        "service_plan_guid": plan.guid,
        "service_offering_guid": plan.offering.guid,
        "service_offering_name": plan.offering.name,
        "service_broker_guid": plan.offering.broker.guid,
        "service_broker_name": plan.offering.broker.name,
    } if plan else {}  # fmt: skip
    audit.usage(
        "service",
        state,
        instance,
        space=instance.space,
        plan_name=plan.name if plan else "",
        data={"service_instance_type": TYPES[instance.type], **of_plan},
    )
