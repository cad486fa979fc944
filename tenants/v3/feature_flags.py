"""The v3 door of feature flags: everybody reads them, admins turn them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound
from paas.lib.v3 import Form, Pagination, Query, ResourceViewSet, link, stamp
from tenants.actions import feature_flag as actions
from tenants.flags import FEATURE_FLAGS
from tenants.models import FeatureFlag


class Change(Form):
    enabled = serializers.BooleanField()
    custom_error_message = serializers.CharField(max_length=250, required=False, allow_blank=True, allow_null=True)


class FeatureFlagViewSet(ResourceViewSet):
    noun = "Feature flag"
    query = Query(orders={"name": "name"}, order=("name", "id"), labels=False, stamps=False, guids=False)

    def flags(self) -> list[FeatureFlag]:
        """Every flag, by name: as it was set, or as it is from the start."""
        rows = {row.name: row for row in FeatureFlag.objects.all()}
        return [
            rows.get(name) or FeatureFlag(name=name, enabled=enabled) for name, enabled in sorted(FEATURE_FLAGS.items())
        ]

    def present(self, resource: FeatureFlag) -> dict[str, Any]:
        return {
            "name": resource.name,
            "enabled": resource.enabled,
            "updated_at": stamp(resource.updated_at),
            "custom_error_message": resource.custom_error_message or None,
            "links": {"self": link(self.request, f"/v3/feature_flags/{resource.name}")},
        }

    def list(self, request: Request, **_: str) -> Response:
        self.query.check(request.query_params)
        pagination = Pagination(request)
        flags = self.flags()
        if self.query.ordering(request.query_params)[0] == "-name":
            flags.reverse()
        return Response(pagination.envelope([self.present(flag) for flag in pagination.of(flags)]))

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.present(self.found(guid)))

    def update(self, request: Request, guid: str) -> Response:
        sent = Change.read(request.data)
        flag = self.found(guid)
        if "custom_error_message" in sent:
            sent["custom_error_message"] = sent["custom_error_message"] or ""
        return Response(self.present(actions.turn(self.user, flag.name, **sent)))

    def found(self, guid: str, queryset: Any = None) -> FeatureFlag:
        for flag in self.flags():
            if flag.name == guid:
                return flag
        raise NotFound("Feature flag not found")
