"""The v3 door of spaces and their features."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound, Unprocessable
from paas.lib.v3 import Form, MetadataField, Names, Query, ResourceViewSet, Text, ToOne, accepted, link
from tenants.access import people_of
from tenants.actions import space as actions
from tenants.models import Organization, Space
from tenants.v3 import shapes
from tenants.v3.people import PEOPLE


class InOrganization(Form):
    organization = ToOne()


class New(Form):
    name = serializers.CharField(max_length=255)
    relationships = InOrganization()
    metadata = MetadataField(required=False)


class Change(Form):
    name = serializers.CharField(max_length=255, required=False)
    metadata = MetadataField(required=False)


class Feature(Form):
    enabled = serializers.BooleanField()


def organizations_of(request: Request, spaces: list[Space]) -> dict[str, list[dict[str, Any]]]:
    return {"organizations": [shapes.organization(request, space.organization) for space in spaces]}


class SpaceViewSet(ResourceViewSet):
    noun = "Space"
    query = Query(
        filters={"names": Names("name"), "organization_guids": Text("organization__guid")},
        orders={"name": "name"},
        includes={"organization": organizations_of, "org": organizations_of},
    )

    def queryset(self) -> QuerySet[Space]:
        return Space.objects.visible_to(self.user).select_related("quota", "organization__quota")

    def present(self, resource: Space) -> dict[str, Any]:
        return shapes.space(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        guid = sent.pop("relationships")["organization"]
        organization = Organization.objects.visible_to(self.user).filter(guid=guid).first()
        if organization is None:
            raise Unprocessable("Invalid organization. Ensure the organization exists and you have access to it.")
        return Response(self.present(actions.create(self.user, organization, **sent)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.update(self.user, self.found(guid), **Change.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def users(self, request: Request, guid: str) -> Response:
        return self.page(
            request, people_of(self.found(guid)), query=PEOPLE, present=lambda user: shapes.user(request, user)
        )

    def usage_summary(self, request: Request, guid: str) -> Response:
        space = self.found(guid)
        here = f"/v3/spaces/{space.guid}"
        links = {"self": link(request, f"{here}/usage_summary"), "space": link(request, here)}
        return Response({"usage_summary": shapes.usage(space.use), "links": links})


class SpaceFeatureViewSet(ResourceViewSet):
    """What may be switched on in a space: opening a shell in its apps."""

    noun = "Space"

    def queryset(self) -> QuerySet[Space]:
        return Space.objects.visible_to(self.user)

    def present(self, resource: Space) -> dict[str, Any]:
        return {
            "name": "ssh",
            "description": "Enable SSHing into apps in the space.",
            "enabled": resource.ssh_allowed,
        }

    def every(self, request: Request, guid: str) -> Response:
        return Response({"resources": [self.present(self.found(guid))]})

    def one(self, request: Request, guid: str, name: str) -> Response:
        return Response(self.present(self._having(guid, name)))

    def update(self, request: Request, guid: str, name: str) -> Response:
        space = self._having(guid, name)
        enabled = Feature.read(request.data)["enabled"]
        return Response(self.present(actions.update(self.user, space, ssh_allowed=enabled)))

    def _having(self, guid: str, name: str) -> Space:
        space: Space = self.found(guid)
        if name != "ssh":
            raise NotFound("Feature not found")
        return space
