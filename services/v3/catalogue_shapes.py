"""How brokers, offerings and plans look in the v3 API."""

from __future__ import annotations

from typing import Any

from paas.lib.v3 import base, link, metadata, to_one
from services.models import Offering, Plan, ServiceBroker

BROKER_FIELDS = {"name": lambda row: row.name, "guid": lambda row: row.guid}


def broker(request: Any, row: ServiceBroker) -> dict[str, Any]:
    """Wants ``space`` joined."""
    here = f"/v3/service_brokers/{row.guid}"
    links = {
        "self": link(request, here),
        "service_offerings": link(request, f"/v3/service_offerings?service_broker_guids={row.guid}"),
    }
    if row.space:
        links["space"] = link(request, f"/v3/spaces/{row.space.guid}")
    return base(
        row,
        name=row.name,
        url=row.url,
        allowed_networks=row.networks,
        relationships={"space": to_one(row.space.guid)} if row.space else {},
        metadata=metadata(row),
        links=links,
    )


def offering(request: Any, row: Offering) -> dict[str, Any]:
    """Wants ``broker`` loaded."""
    here = f"/v3/service_offerings/{row.guid}"
    return base(
        row,
        name=row.name,
        description=row.description,
        available=row.available,
        tags=row.tags,
        requires=row.requires,
        shareable=row.shareable,
        documentation_url=row.documentation_url or None,
        broker_catalog={
            "id": row.catalog_id,
            "metadata": row.broker_metadata,
            "features": {
                "plan_updateable": row.plan_updateable,
                "bindable": row.bindable,
                "instances_retrievable": row.instances_retrievable,
                "bindings_retrievable": row.bindings_retrievable,
                "allow_context_updates": row.allow_context_updates,
            },
        },
        relationships={"service_broker": to_one(row.broker.guid)},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "service_plans": link(request, f"/v3/service_plans?service_offering_guids={row.guid}"),
            "service_broker": link(request, f"/v3/service_brokers/{row.broker.guid}"),
        },
    )


def plan(request: Any, row: Plan) -> dict[str, Any]:
    """Wants ``offering`` with its ``broker`` and the broker's ``space`` loaded."""
    here, space = f"/v3/service_plans/{row.guid}", row.offering.broker.space
    relationships = {"service_offering": to_one(row.offering.guid)}
    links = {
        "self": link(request, here),
        "service_offering": link(request, f"/v3/service_offerings/{row.offering.guid}"),
        "visibility": link(request, f"{here}/visibility"),
    }
    if space:
        relationships["space"], links["space"] = to_one(space.guid), link(request, f"/v3/spaces/{space.guid}")
    return base(
        row,
        name=row.name,
        description=row.description,
        visibility_type=row.visibility_type,
        available=row.available and row.offering.available,
        free=row.free,
        costs=row.costs,
        maintenance_info=row.maintenance_info,
        broker_catalog={
            "id": row.catalog_id,
            "metadata": row.broker_metadata,
            "maximum_polling_duration": row.maximum_polling_duration,
            "features": {"bindable": row.takes_bindings, "plan_updateable": row.can_change_plan},
        },
        schemas={
            "service_instance": {
                "create": {"parameters": row.create_schema},
                "update": {"parameters": row.update_schema},
            },
            "service_binding": {"create": {"parameters": row.bind_schema}},
        },
        relationships=relationships,
        metadata=metadata(row),
        links=links,
    )
