"""The v3 door of service brokers: of the platform, or of one space."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Form, MetadataField, Names, Query, ResourceViewSet, Text, ToOne, accepted, named
from services.actions import broker as actions
from services.models import ServiceBroker
from services.v3 import catalogue_shapes as shapes
from tenants.models import Space


class Credentials(Form):
    username = serializers.CharField(max_length=1000, trim_whitespace=False)
    password = serializers.CharField(max_length=10_000, trim_whitespace=False)


class Authentication(Form):
    type = serializers.ChoiceField(["basic"], error_messages={"invalid_choice": 'must be one of ["basic"]'})
    credentials = Credentials()


class Where(Form):
    space = ToOne()


class Change(Form):
    name = serializers.CharField(max_length=255, required=False)
    url = serializers.CharField(max_length=2048, required=False)
    authentication = Authentication(required=False)
    allowed_networks = serializers.ListField(child=serializers.CharField(max_length=64), max_length=100, required=False)
    metadata = MetadataField(required=False)


class New(Change):
    name = serializers.CharField(max_length=255)
    url = serializers.CharField(max_length=2048)
    authentication = Authentication()
    relationships = Where(required=False)


class ServiceBrokerViewSet(ResourceViewSet):
    noun = "Service broker"
    query = Query(filters={"names": Names("name"), "space_guids": Text("space__guid")}, orders={"name": "name"})

    def queryset(self) -> QuerySet[ServiceBroker]:
        return ServiceBroker.objects.visible_to(self.user).select_related("space__organization").defer("wish")

    def present(self, resource: ServiceBroker) -> dict[str, Any]:
        return shapes.broker(self.request, resource)

    def create(self, request: Request) -> Any:
        """Register a service broker, and read its catalogue."""
        sent = New.read(request.data)
        space = self._space(sent.get("relationships"))
        job = actions.create(
            self.user,
            space,
            name=sent["name"],
            url=sent["url"],
            networks=sent.get("allowed_networks"),
            metadata=sent.get("metadata"),
            **sent["authentication"]["credentials"],
        )
        return accepted(request, job)

    def update(self, request: Request, guid: str) -> Any:
        """Change a service broker; where it is and how it is called only if its catalogue can be read there."""
        broker, sent = self.found(guid), Change.read(request.data)
        wish = {name: sent[name] for name in ("url",) if name in sent}
        wish |= {"credentials": dict(sent["authentication"]["credentials"])} if "authentication" in sent else {}
        wish |= {"networks": sent["allowed_networks"]} if "allowed_networks" in sent else {}
        job = actions.update(self.user, broker, name=sent.get("name", ""), metadata=sent.get("metadata"), **wish)
        return accepted(request, job) if job else Response(self.present(self.found(guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def _space(self, relationships: dict[str, Any] | None) -> Space | None:
        if not relationships:
            return None
        spaces = Space.objects.visible_to(self.user).select_related("organization")
        return named(spaces, relationships["space"], "space")
