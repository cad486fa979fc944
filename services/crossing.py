"""Turns rows into what crosses the broker's seam."""

from __future__ import annotations

from typing import Any

from services.brokers import base
from services.models import Binding, ServiceInstance
from tenants.models import Space


def place_of(space: Space) -> base.Place:
    organization = space.organization
    return base.Place(
        organization_guid=organization.guid,
        organization_name=organization.name,
        space_guid=space.guid,
        space_name=space.name,
        organization_annotations=prefixed(organization),
        space_annotations=prefixed(space),
    )


def prefixed(resource: Any) -> dict[str, str]:
    """The annotations whose keys have a prefix: only those are a broker's business."""
    return {key: value for key, value in resource.annotations.items() if "/" in key}


def instance_for(row: ServiceInstance, **wished: Any) -> base.Instance:
    """The managed instance as it is, but for what is wished: ``plan``, ``name``, ``parameters``, ``maintenance_info``, ``origin``."""
    plan: Any = wished.get("plan", row.plan)
    info = wished.get("maintenance_info", row.maintenance_info)
    return base.Instance(
        guid=row.guid,
        name=wished.get("name", row.name),
        offering_id=plan.offering.catalog_id,
        plan_id=plan.catalog_id,
        place=place_of(row.space),
        parameters=wished.get("parameters"),
        maintenance_version=info.get("version", ""),
        annotations=prefixed(row),
        cipher=row.repository.key if plan.broker_metadata.get("backups") and hasattr(row, "repository") else "",
        origin=wished.get("origin"),
    )


def binding_for(row: Binding, *, parameters: Any = None) -> base.Binding:
    """The binding; of one whose app is gone nothing but its guid matters any more."""
    app: Any = row.app
    user = base.AppUser(app.guid, app.name, place_of(app.space), prefixed(app)) if app else None
    plan: Any = row.instance.plan
    return base.Binding(
        guid=row.guid,
        instance=instance_for(row.instance),
        app=user,
        parameters=parameters,
        requires=tuple(plan.offering.requires),
        retrievable=plan.offering.bindings_retrievable,
    )
