"""How organizations, spaces, people, roles and quotas look in the v3 API."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from paas.lib.v3 import base, link, metadata, to_one
from tenants.models import Limits, Organization, OrganizationRole, QuotaUse, Space, SpaceRole


def organization(request: Any, row: Organization) -> dict[str, Any]:
    """Wants ``quota`` joined."""
    here = f"/v3/organizations/{row.guid}"
    return base(
        row,
        name=row.name,
        suspended=row.suspended,
        relationships={"quota": to_one(row.quota.guid)},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "domains": link(request, f"{here}/domains"),
            "default_domain": link(request, f"{here}/domains/default"),
            "quota": link(request, f"/v3/organization_quotas/{row.quota.guid}"),
        },
    )


def space(request: Any, row: Space) -> dict[str, Any]:
    """Wants ``organization`` and ``quota`` joined."""
    here = f"/v3/spaces/{row.guid}"
    links = {
        "self": link(request, here),
        "organization": link(request, f"/v3/organizations/{row.organization.guid}"),
        "features": link(request, f"{here}/features"),
        "apply_manifest": link(request, f"{here}/actions/apply_manifest", "POST"),
    }
    if row.quota:
        links["quota"] = link(request, f"/v3/space_quotas/{row.quota.guid}")
    return base(
        row,
        name=row.name,
        relationships={
            "organization": to_one(row.organization.guid),
            "quota": to_one(row.quota.guid if row.quota else None),
        },
        metadata=metadata(row),
        links=links,
    )


def user(request: Any, row: User) -> dict[str, Any]:
    """A robot has neither username nor origin, as Cloud Foundry shows what its OAuth server calls a client."""
    is_robot = row.kind == User.Kind.ROBOT
    return base(
        row,
        username=None if is_robot else row.username,
        presentation_name=row.username,
        origin=None if is_robot else row.origin,
        metadata=metadata(row),
        links={"self": link(request, f"/v3/users/{row.guid}")},
    )


def role(request: Any, row: OrganizationRole | SpaceRole) -> dict[str, Any]:
    """Wants ``user`` and ``content_object`` joined."""
    in_space = isinstance(row, SpaceRole)
    kind = "space" if in_space else "organization"
    return base(
        row,
        type=row.type,
        relationships={
            "user": to_one(row.user.guid),
            "organization": to_one(None if in_space else row.content_object.guid),
            "space": to_one(row.content_object.guid if in_space else None),
        },
        links={
            "self": link(request, f"/v3/roles/{row.guid}"),
            "user": link(request, f"/v3/users/{row.user.guid}"),
            kind: link(request, f"/v3/{kind}s/{row.content_object.guid}"),
        },
    )


def limits(row: Limits) -> dict[str, Any]:
    """The part that the quotas of organizations and of spaces share."""
    return {
        "apps": {
            "total_memory_in_mb": row.total_memory_mb,
            "per_process_memory_in_mb": row.per_process_memory_mb,
            "total_instances": row.total_instances,
            "per_app_tasks": row.per_app_tasks,
            "log_rate_limit_in_bytes_per_second": row.log_rate,
        },
        "services": {
            "paid_services_allowed": row.paid_services_allowed,
            "total_service_instances": row.total_service_instances,
            "total_service_keys": row.total_service_keys,
        },
        "routes": {
            "total_routes": row.total_routes,
            "total_reserved_ports": row.total_reserved_ports,
        },
    }


def usage(row: QuotaUse) -> dict[str, Any]:
    return {
        "started_instances": row.instances,
        "memory_in_mb": row.memory_mb,
        "routes": row.routes,
        "service_instances": row.service_instances,
        "reserved_ports": row.reserved_ports,
        "domains": row.domains,
        "service_keys": row.service_keys,
    }
