"""The v3 door of organizations."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Form, MetadataField, Names, Query, ResourceViewSet, accepted, link
from tenants.access import people_of
from tenants.actions import organization as actions
from tenants.models import Organization
from tenants.v3 import shapes
from tenants.v3.people import PEOPLE


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
        organization = actions.create(self.user, **New.read(request.data))
        return Response(self.present(organization), status=201)

    def update(self, request: Request, guid: str) -> Response:
        organization = actions.update(self.user, self.found(guid), **Change.read(request.data))
        return Response(self.present(organization))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def users(self, request: Request, guid: str) -> Response:
        return self.page(
            request, people_of(self.found(guid)), query=PEOPLE, present=lambda user: shapes.user(request, user)
        )

    def usage_summary(self, request: Request, guid: str) -> Response:
        organization = self.found(guid)
        here = f"/v3/organizations/{organization.guid}"
        links = {"self": link(request, f"{here}/usage_summary"), "organization": link(request, here)}
        return Response({"usage_summary": shapes.usage(organization.use), "links": links})
