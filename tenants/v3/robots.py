"""The v3 door of robot accounts and their keys: ours, in Cloud Foundry's manner.

A robot's guid is its client id, and that of its user: roles are given to it at ``/v3/roles`` as to anybody.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from paas.lib.v3 import (
    Form,
    MetadataField,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToOne,
    accepted,
    base,
    link,
    metadata,
    named,
    to_one,
)
from tenants.access import authorize
from tenants.actions import robot as actions
from tenants.models import Organization, Robot


class Caretaker(Form):
    caretaker = ToOne(required=False, nullable=True)


class Owner(Caretaker):
    organization = ToOne()


class Change(Form):
    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=255, required=False, allow_blank=True)
    address_ranges = serializers.ListField(child=serializers.CharField(max_length=64), max_length=100, required=False)
    relationships: serializers.Serializer = Caretaker(required=False)
    metadata = MetadataField(required=False)


class New(Change):
    name = serializers.CharField(max_length=100)
    relationships = Owner()


class RobotViewSet(ResourceViewSet):
    noun = "Robot"
    query = Query(
        filters={"names": Names("user__given_name"), "organization_guids": Text("organization__guid")},
        orders={"name": "user__given_name"},
    )

    def queryset(self) -> QuerySet[Robot]:
        return Robot.objects.visible_to(self.user).select_related("user", "organization", "caretaker")

    def present(self, resource: Robot) -> dict[str, Any]:
        here = f"/v3/robots/{resource.guid}"
        return base(
            resource,
            name=resource.user.given_name,
            client_id=resource.user.username,
            description=resource.description,
            address_ranges=resource.user.address_ranges,
            suspended=not resource.user.is_active,
            relationships={
                "organization": to_one(resource.organization.guid),
                "caretaker": to_one(resource.caretaker.guid if resource.caretaker else None),
                "user": to_one(resource.user.guid),
            },
            metadata=metadata(resource),
            links={
                "self": link(self.request, here),
                "keys": link(self.request, f"{here}/keys"),
                "organization": link(self.request, f"/v3/organizations/{resource.organization.guid}"),
                "user": link(self.request, f"/v3/users/{resource.user.guid}"),
            },
        )

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        ends = sent.pop("relationships")
        organization = named(Organization.objects.visible_to(self.user), ends["organization"], "organization")
        authorize(self.user, actions.VERB, organization)  # before anybody learns who exists
        robot = actions.create(self.user, organization, **sent, **self._caretaker(ends))
        return Response(self.present(robot), status=201)

    def update(self, request: Request, guid: str) -> Response:
        robot = self.found(guid)
        sent = Change.read(request.data)
        authorize(self.user, actions.VERB, robot.organization)
        ends = sent.pop("relationships", {})
        return Response(self.present(actions.update(self.user, robot, **sent, **self._caretaker(ends))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    @staticmethod
    def _caretaker(ends: dict[str, Any]) -> dict[str, User | None]:
        """Return the person meant, whose membership the action checks; null is nobody."""
        if "caretaker" not in ends:
            return {}
        guid = ends["caretaker"]
        return {"caretaker": named(User.objects, guid, "caretaker") if guid else None}
