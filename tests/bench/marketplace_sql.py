"""What the marketplace is made of, asked for in SQL as one would write it by hand for a person who sees no more."""

from __future__ import annotations

from typing import Any

Statement = tuple[str, dict[str, Any]]

GRANTED = (
    "SELECT v.plan_id FROM services_planvisibility v JOIN tenants_organizationrole r"
    " ON r.content_object_id = v.organization_id WHERE r.user_id = %(user)s"
)
SEEN = f"(p.visibility_type = 'public' OR p.id IN ({GRANTED}))"
HERE = (
    "(p.visibility_type = 'public' OR p.id IN"
    " (SELECT plan_id FROM services_planvisibility WHERE organization_id = %(organization)s))"
)
COLUMNS = (
    "p.id, p.guid, p.created_at, p.updated_at, p.name, p.description, p.visibility_type, p.available, p.free, p.costs,"
    " p.maintenance_info, p.catalog_id, p.broker_metadata, p.maximum_polling_duration, p.bindable, p.plan_updateable,"
    " p.create_schema, p.update_schema, p.bind_schema, p.labels, p.annotations, p.offering_id"
)
PLANS = "FROM services_plan p JOIN services_offering o ON o.id = p.offering_id WHERE {0}"
PAGE = f"SELECT {COLUMNS} {PLANS} ORDER BY p.created_at, p.id LIMIT %(limit)s"
OFFERINGS = "SELECT o.*, b.guid, b.name, b.space_id FROM services_offering o JOIN services_servicebroker b ON b.id = o.broker_id"
OF_PLANS = f"{OFFERINGS} WHERE o.id IN (SELECT offering_id FROM ({PAGE}) page)"

SHOWN = "o.available AND EXISTS (SELECT 1 FROM services_plan p WHERE p.offering_id = o.id AND p.available AND {0})"
USABLE = f"EXISTS (SELECT 1 FROM services_plan p WHERE p.offering_id = o.id AND p.available AND {HERE})"
SHELF = f"SELECT o.id FROM services_offering o WHERE {SHOWN} ORDER BY {USABLE} DESC, o.name, o.id LIMIT 20"


def lists(user: Any, space: Any, limit: int) -> list[Statement]:
    """How many plans there are, one page of them, and their offerings and brokers."""
    seen = "true" if user.platform_role else SEEN
    if space:
        seen = f"{seen} AND {HERE} AND p.available AND o.available"
    given = {"user": user.pk, "limit": limit, "organization": space and space.organization_id}
    return [(each.format(seen), given) for each in (f"SELECT count(*) {PLANS}", PAGE, OF_PLANS)]


def page(user: Any, space: Any) -> list[Statement]:
    """How many offerings there are, twenty of them with their brokers, and what their plans cost."""
    seen = "true" if user.platform_role else SEEN
    given = {"user": user.pk, "organization": space.organization_id}
    plans = "SELECT p.id, p.guid, p.name, p.costs, p.free, p.offering_id FROM services_plan p"
    statements = (
        f"SELECT count(*) FROM services_offering o WHERE {SHOWN}",
        f"{OFFERINGS} WHERE o.id IN ({SHELF})",
        f"{plans} WHERE p.available AND {{0}} AND p.offering_id IN ({SHELF})",
    )
    return [(each.format(seen), given) for each in statements]
