"""The v3 door of organizations."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Form, MetadataField, Names, Query, ResourceViewSet, ToOne, accepted, link
from tenants.actions import organization as actions
from tenants.models import Organization
from tenants.v3 import shapes
from tenants.v3.people import PEOPLE, people_of_organization


class New(Form):
    name = serializers.CharField(max_length=255)
    suspended = serializers.BooleanField(required=False)
    metadata = MetadataField(required=False)


class Change(New):
    name = serializers.CharField(max_length=255, required=False)


class OrganizationViewSet(ResourceViewSet):
    noun = "Organization"
    query = Query(filters={"names": Names("name")}, orders={"name": "name"})

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user).select_related("quota")

    def present(self, resource: Organization) -> dict[str, Any]:
        return shapes.organization(self.request, resource)

    def create(self, request: Request) -> Response:
        return Response(self.present(actions.create(self.user, **New.read(request.data))), status=201)

    def update(self, request: Request, guid: str) -> Response:
        organization = self.found(guid)
        return Response(self.present(actions.update(self.user, organization, **Change.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def users(self, request: Request, guid: str) -> Response:
        people: QuerySet[User] = people_of_organization(self.found(guid))
        return self.page(request, people, query=PEOPLE, present=lambda person: shapes.user(request, person))

    def usage_summary(self, request: Request, guid: str) -> Response:
        organization = self.found(guid)
        here = f"/v3/organizations/{organization.guid}"
        links = {"self": link(request, f"{here}/usage_summary"), "organization": link(request, here)}
        return Response({"usage_summary": shapes.usage(organization.use), "links": links})


class IsolationSegment(Form):
    data = ToOne(nullable=True).fields["data"]


class DefaultIsolationSegmentViewSet(ResourceViewSet):
    """Which isolation segment new spaces go to: none, as there is none to be had."""

    noun = "Organization"

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user)

    def present(self, resource: Organization) -> dict[str, Any]:
        here = f"/v3/organizations/{resource.guid}/relationships/default_isolation_segment"
        return {"data": None, "links": {"self": link(self.request, here)}}

    def update(self, request: Request, guid: str) -> Response:
        organization = self.found(guid)
        ...
        return Response(self.present(organization))
