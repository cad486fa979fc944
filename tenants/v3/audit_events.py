"""The v3 door of audit events: who did what, to whoever may read the record of that place."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet

from accounts.audit import HIDDEN
from accounts.models import AuditEvent
from paas.lib.v3 import Query, ResourceViewSet, Text, base, link
from tenants import events

# What Cloud Foundry's requests call our columns, where that is another name
NAMES = {
    "memory_mb": "memory_in_mb",
    "disk_mb": "disk_in_mb",
    "log_rate": "log_rate_limit_in_bytes_per_second",
}


class AuditEventViewSet(ResourceViewSet):
    noun = "Event"
    query = Query(
        filters={
            "types": Text("type"),
            "target_guids": Text("target_guid"),
            "space_guids": Text("space_guid"),
            "organization_guids": Text("organization_guid"),
        },
        labels=False,
    )

    def queryset(self) -> QuerySet[AuditEvent]:
        return events.visible_to(self.user).annotate(updated_at=F("created_at"))

    def present(self, resource: AuditEvent) -> dict[str, Any]:
        return base(
            resource,
            type=resource.type,
            actor={"guid": resource.actor_guid, "type": resource.actor_type, "name": resource.actor_name},
            target={"guid": resource.target_guid, "type": resource.target_type, "name": resource.target_name},
            data=told(resource.data),
            space={"guid": resource.space_guid} if resource.space_guid else None,
            organization={"guid": resource.organization_guid} if resource.organization_guid else None,
            door=resource.door,
            address=resource.address,
            via=resource.via,
            links={"self": link(self.request, f"/v3/audit_events/{resource.guid}")},
        )


def told(data: dict[str, Any]) -> dict[str, Any]:
    """The data of an event with ``request`` beside ``changes``: what was asked for, as Cloud Foundry's clients read it."""
    if "request" in data or not data.get("changes"):
        return data
    request: dict[str, Any] = {}
    for name, (_old, new) in data["changes"].items():
        first, _, key = name.partition(".")
        if first == "environment":
            request |= {"environment_variables": HIDDEN, "environment_json": HIDDEN}  # the latter is what `cf` prints
        elif first in ("labels", "annotations"):
            request.setdefault("metadata", {}).setdefault(first, {})[key] = new
        elif key:
            request.setdefault(first, {})[key] = new
        else:
            request[NAMES.get(name, name)] = new
    return data | {"request": request}
