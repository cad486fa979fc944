"""The v3 door of buildpacks: everybody reads them, admins order, switch and upload them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps import uploads
from apps.actions import buildpack as actions
from apps.models import Buildpack
from apps.v3.shapes import building as shapes
from apps.v3.sizes import Whole
from apps.v3.uploads import read
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Form, MetadataField, Names, Query, ResourceViewSet, accepted
from paas.lib.v3.query import values
from tenants.access import authorize

NO_BITS = "A buildpack zip file must be uploaded as 'bits'"


class Name(serializers.RegexField):
    def __init__(self, **kwargs: Any) -> None:
        said = {"invalid": "can only contain alphanumeric characters, dashes and underscores"}
        super().__init__(r"^[-\w]+$", max_length=250, error_messages=said, **kwargs)


class Switches(Form):
    position = Whole(least=1)
    enabled = serializers.BooleanField(required=False)
    locked = serializers.BooleanField(required=False)
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        sent.pop("lifecycle", None)
        return {name: value for name, value in sent.items() if value is not None or name == "stack"}


class Change(Switches):
    name = Name(required=False)
    stack = serializers.CharField(max_length=64, required=False, allow_null=True)


class New(Switches):
    name = Name()
    stack = serializers.CharField(max_length=64, required=False, allow_null=True)
    lifecycle = serializers.ChoiceField(["buildpack"], required=False)


def on_stacks(name: str, text: str) -> Q:
    """The buildpacks of these stacks; an empty name means those that are for any."""
    asked = values(text)
    return Q(stack__in=asked) | (Q(stack=None) if "" in asked else Q(pk__in=[]))


def of_lifecycle(name: str, text: str) -> Q:
    return Q() if "buildpack" in values(text) else Q(pk__in=[])


class BuildpackViewSet(ResourceViewSet):
    noun = "Buildpack"
    query = Query(
        filters={"names": Names("name"), "stacks": on_stacks, "lifecycle": of_lifecycle},
        orders={"position": "position"},
        order=("position", "id"),
    )

    def queryset(self) -> QuerySet[Buildpack]:
        return Buildpack.objects.all()

    def present(self, resource: Buildpack) -> dict[str, Any]:
        return shapes.buildpack(self.request, resource)

    def create(self, request: Request) -> Response:
        return Response(self.present(actions.create(self.user, **New.read(request.data))), status=201)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.update(self.user, self.found(guid), **Change.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def upload(self, request: Request, guid: str) -> Any:
        buildpack = self.found(guid)
        authorize(self.user, "platform.manage")  # before all of it is read
        bits = read(request).bits
        if bits is None:
            raise Unprocessable(NO_BITS)
        job = uploads.receive_buildpack(self.user, buildpack, bits.file, filename=(bits.name or "")[:255])
        return accepted(request, job, self.present(self.found(guid)))
