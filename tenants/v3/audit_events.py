"""The v3 door of audit events: who did what, to whoever may read the record of that place."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q, QuerySet

from accounts.models import AuditEvent
from paas.lib.v3 import Query, ResourceViewSet, Text, base, link
from tenants.access import organizations_with, spaces_with


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
        """The events of spaces and organizations whose record is the user's to read.

        Whoever may read every space of an organization reads about those that are gone, too.
        """
        rows = AuditEvent.objects.annotate(updated_at=F("created_at"))
        if self.user.platform_role:
            return rows
        spaces = spaces_with(self.user, "space.audit").values("guid")
        organizations = organizations_with(self.user, "organization.audit").values("guid")
        through = organizations_with(self.user, "space.audit").values("guid")
        return rows.filter(
            Q(space_guid__in=spaces)
            | Q(space_guid="", organization_guid__in=organizations)
            | Q(organization_guid__in=through)
        )

    def present(self, resource: AuditEvent) -> dict[str, Any]:
        return base(
            resource,
            type=resource.type,
            actor={"guid": resource.actor_guid, "type": resource.actor_type, "name": resource.actor_name},
            target={"guid": resource.target_guid, "type": resource.target_type, "name": resource.target_name},
            data=resource.data,
            space={"guid": resource.space_guid} if resource.space_guid else None,
            organization={"guid": resource.organization_guid} if resource.organization_guid else None,
            links={"self": link(self.request, f"/v3/audit_events/{resource.guid}")},
        )
