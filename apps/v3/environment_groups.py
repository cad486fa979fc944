"""The v3 door of environment variable groups: what every running or staging app gets from the platform."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import environment_group as actions
from apps.models import EnvironmentGroup
from apps.v3.shapes import building as shapes
from paas.lib.errors import NotFound
from paas.lib.v3 import Form, ResourceViewSet

NAMES = ("running", "staging")


class Value(serializers.Field):
    """Text, or null for a variable that is to go."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be text or null")
        return data


class Change(Form):
    var = serializers.DictField(child=Value(allow_null=True))


class EnvironmentGroupViewSet(ResourceViewSet):
    noun = "Environment variable group"

    def present(self, resource: EnvironmentGroup) -> dict[str, Any]:
        return shapes.environment_group(self.request, resource)

    def found(self, guid: str, queryset: Any = None) -> EnvironmentGroup:
        if guid not in NAMES:
            raise NotFound("Environment variable group not found")
        return EnvironmentGroup.objects.filter(name=guid).first() or EnvironmentGroup(name=guid)

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.present(self.found(guid)))

    def update(self, request: Request, guid: str) -> Response:
        variables = Change.read(request.data)["var"]
        return Response(self.present(actions.update(self.user, self.found(guid).name, variables=variables)))
