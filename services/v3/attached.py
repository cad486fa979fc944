"""How service instances and bindings look in the v3 API."""

from __future__ import annotations

from typing import Any

from paas.lib.v3 import base, link, metadata, stamp, to_one
from services.models import Binding, ServiceInstance


def last_operation(row: ServiceInstance | Binding) -> dict[str, Any]:
    return {
        "type": row.operation_type,
        "state": row.operation_state,
        "description": row.operation_description,
        "created_at": stamp(row.operation_created_at),
        "updated_at": stamp(row.operation_updated_at),
    }


def instance(request: Any, row: ServiceInstance) -> dict[str, Any]:
    """Wants ``space`` and ``plan`` joined."""
    here, of_instance = f"/v3/service_instances/{row.guid}", f"?service_instance_guids={row.guid}"
    links = {
        "self": link(request, here),
        "space": link(request, f"/v3/spaces/{row.space.guid}"),
        "service_credential_bindings": link(request, f"/v3/service_credential_bindings{of_instance}"),
        "service_route_bindings": link(request, f"/v3/service_route_bindings{of_instance}"),
    }
    relationships = {"space": to_one(row.space.guid)}
    common = {"name": row.name, "type": row.type, "tags": row.tags, "last_operation": last_operation(row)}
    if row.plan is None:
        links["credentials"] = link(request, f"{here}/credentials")
        own: dict[str, Any] = {"syslog_drain_url": None, "route_service_url": None}
    else:
        links["service_plan"] = link(request, f"/v3/service_plans/{row.plan.guid}")
        links["parameters"] = link(request, f"{here}/parameters")
        links["shared_spaces"] = link(request, f"{here}/relationships/shared_spaces")
        relationships["service_plan"] = to_one(row.plan.guid)
        own = {
            "maintenance_info": row.maintenance_info,
            "upgrade_available": row.upgrade_available,
            "dashboard_url": row.dashboard_url or None,
        }
    return base(row, **common, **own, relationships=relationships, metadata=metadata(row), links=links)


def binding(request: Any, row: Binding) -> dict[str, Any]:
    """Wants ``instance`` and ``app`` joined."""
    here, app = f"/v3/service_credential_bindings/{row.guid}", row.app
    links = {
        "self": link(request, here),
        "details": link(request, f"{here}/details"),
        "service_instance": link(request, f"/v3/service_instances/{row.instance.guid}"),
    }
    relationships = {"service_instance": to_one(row.instance.guid)}
    if row.instance.managed:
        links["parameters"] = link(request, f"{here}/parameters")
    if app is not None:
        links["app"] = link(request, f"/v3/apps/{app.guid}")
        relationships["app"] = to_one(app.guid)
    return base(
        row,
        name=row.name or None,
        type=row.type,
        last_operation=last_operation(row),
        relationships=relationships,
        metadata=metadata(row),
        links=links,
    )
