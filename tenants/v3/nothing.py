"""Isolation segments and security groups: read by clients, and none can exist yet."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import Unprocessable
from paas.lib.v3 import Bool, EmptyCollection, Query, ResourceViewSet, Text, ToOne, link
from tenants.access import authorize
from tenants.models import Organization, Space

ANY = Text("guid")


class IsolationSegmentViewSet(EmptyCollection):
    noun = "Isolation segment"
    query = Query(filters={"names": ANY, "organization_guids": ANY}, orders={"name": "name"})


class SecurityGroupViewSet(EmptyCollection):
    noun = "Security group"
    query = Query(
        filters={
            "names": ANY,
            "running_space_guids": ANY,
            "staging_space_guids": ANY,
            "globally_enabled_running": Bool("guid"),
            "globally_enabled_staging": Bool("guid"),
        },
        labels=False,
    )


class SpaceSecurityGroupViewSet(EmptyCollection):
    """What groups hold for what runs or is staged in one space."""

    noun = "Space"
    query = Query(filters={"names": ANY}, labels=False)

    def queryset(self) -> QuerySet[Space]:
        return Space.objects.visible_to(self.user)

    def list(self, request: Request, **arguments: str) -> Response:
        self.found(arguments["guid"])
        return super().list(request)


class NoIsolationSegment(ResourceViewSet):
    """The isolation segment of something: there is none, and none can be assigned."""

    verb = ""
    path = ""
    refusal = ""

    def present(self, resource: Any) -> dict[str, Any]:
        return {"data": None, "links": {"self": link(self.request, self.path.format(guid=resource.guid))}}

    def update(self, request: Request, guid: str) -> Response:
        resource = self.found(guid)
        authorize(self.user, self.verb, resource)
        asked = ToOne.whole(request.data, nullable=True)
        if asked:
            raise Unprocessable(f"Unable to assign isolation segment with guid '{asked}'. {self.refusal}")
        return Response(self.present(resource))


class DefaultIsolationSegmentViewSet(NoIsolationSegment):
    noun = "Organization"
    verb = "organization.update"
    path = "/v3/organizations/{guid}/relationships/default_isolation_segment"
    refusal = "Ensure it has been entitled to the organization."

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user)


class SpaceIsolationSegmentViewSet(NoIsolationSegment):
    noun = "Space"
    verb = "space.delete"  # Cloud Foundry asks for an organization manager here
    path = "/v3/spaces/{guid}/relationships/isolation_segment"
    refusal = "Ensure it has been entitled to the organization that this space belongs to."

    def queryset(self) -> QuerySet[Space]:
        return Space.objects.visible_to(self.user)
