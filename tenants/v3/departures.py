"""The v3 door of people who leave an organization: ours, in Cloud Foundry's manner."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import RobotKey, User
from paas.lib.v3 import Form, Query, ResourceViewSet, Text, ToOne, base, link, named, stamp, to_one
from tenants.access import authorize, people_of
from tenants.actions import departure as actions
from tenants.actions.role import VERB
from tenants.models import Departure, Organization


class Ends(Form):
    organization = ToOne()
    user = ToOne()
    heir = ToOne(required=False, nullable=True)


class New(Form):
    relationships = Ends()
    keys = serializers.DictField(
        child=serializers.ChoiceField((actions.REVOKE, actions.ROTATE, actions.KEEP)), required=False
    )


class DepartureViewSet(ResourceViewSet):
    """Who left which organization with what, for who manages its members."""

    noun = "Departure"
    query = Query(
        filters={"organization_guids": Text("organization__guid"), "user_guids": Text("user__guid")}, labels=False
    )

    def queryset(self) -> QuerySet[Departure]:
        there = Organization.objects.where(self.user, VERB).values("pk")
        return Departure.objects.filter(organization__in=there).select_related("organization", "user", "by")

    def present(self, resource: Departure) -> dict[str, Any]:
        here = f"/v3/departures/{resource.guid}"
        return base(
            resource,
            undo_until=stamp(resource.until),
            restored_at=stamp(resource.restored_at),
            roles=resource.snapshot["roles"],
            relationships={
                "organization": to_one(resource.organization.guid),
                "user": to_one(resource.user.guid),
                "removed_by": to_one(resource.by.guid if resource.by else None),
            },
            links={"self": link(self.request, here), "undo": link(self.request, f"{here}/actions/undo", "POST")},
        )

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        ends = sent["relationships"]
        organization = named(Organization.objects.visible_to(self.user), ends["organization"], "organization")
        authorize(self.user, VERB, organization)  # before anybody learns who is in it
        heir = _person(organization, ends["heir"], "heir") if ends.get("heir") else None
        user = _person(organization, ends["user"], "user")
        departure, keys = actions.leave(
            self.user, user, organization=organization, heir=heir, keys=sent.get("keys", {})
        )
        return Response(self.present(departure) | {"keys": [_key(*pair) for pair in keys.items()]}, status=201)

    def undo(self, request: Request, guid: str) -> Response:
        departure = self.found(guid)
        lost = actions.undo(self.user, departure)
        return Response(self.present(self.found(guid)) | {"lost": lost})


def _person(organization: Organization, guid: str, what: str) -> User:
    return named(people_of(organization), guid, what)


def _key(key: RobotKey, text: str) -> dict[str, Any]:
    """A new key with its text, which is told this once."""
    return {
        "guid": key.guid,
        "name": key.name,
        "client_id": key.robot.username,
        "secret": text,
        "expires_at": stamp(key.expires_at),
    }
