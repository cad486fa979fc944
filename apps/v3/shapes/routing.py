"""How routes, destinations and domains look in the v3 API."""

from __future__ import annotations

from typing import Any

from apps.models import Destination, Domain, Route
from paas.lib.v3 import base, link, metadata, stamp, to_many, to_one


def destination(row: Destination) -> dict[str, Any]:
    """Wants ``app`` joined."""
    return {
        "guid": row.guid,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "app": {"guid": row.app.guid, "process": {"type": row.process_type}},
        "weight": row.weight,
        "port": row.port,
        "protocol": row.protocol,
    }


def route(request: Any, row: Route) -> dict[str, Any]:
    """Wants ``space`` and ``domain`` joined and ``destinations__app`` prefetched."""
    here = f"/v3/routes/{row.guid}"
    return base(
        row,
        protocol="http",
        host=row.host,
        path=row.path,
        port=None,
        url=row.url,
        destinations=[destination(each) for each in row.destinations.all()],
        options=row.options,
        relationships={"space": to_one(row.space.guid), "domain": to_one(row.domain.guid)},
        metadata=metadata(row),
        links={
            "self": link(request, here),
            "space": link(request, f"/v3/spaces/{row.space.guid}"),
            "domain": link(request, f"/v3/domains/{row.domain.guid}"),
            "destinations": link(request, f"{here}/destinations"),
        },
    )


def domain(request: Any, row: Domain, shared_with: list[str]) -> dict[str, Any]:
    """Wants ``organization`` joined; ``shared_with`` are the guids of those organizations that the caller sees."""
    here = f"/v3/domains/{row.guid}"
    links = {
        "self": link(request, here),
        "route_reservations": link(request, f"{here}/route_reservations"),
    }
    if row.organization:
        links["organization"] = link(request, f"/v3/organizations/{row.organization.guid}")
        links["shared_organizations"] = link(request, f"{here}/relationships/shared_organizations")
    return base(
        row,
        name=row.name,
        internal=row.internal,
        router_group=None,
        supported_protocols=["http"],
        relationships={
            "organization": to_one(row.organization.guid if row.organization else None),
            "shared_organizations": to_many(shared_with),
        },
        metadata=metadata(row),
        links=links,
    )
