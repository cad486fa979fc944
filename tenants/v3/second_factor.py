"""The v3 door of the second factor that an organization requires: ours, not Cloud Foundry's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Form, ResourceViewSet, link
from tenants.actions import second_factor as actions
from tenants.models import Organization


class Change(Form):
    required = serializers.BooleanField()


class SecondFactorViewSet(ResourceViewSet):
    noun = "Organization"

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user)

    def present(self, resource: Organization) -> dict[str, Any]:
        here = f"/v3/organizations/{resource.guid}"
        links = {"self": link(self.request, f"{here}/second_factor"), "organization": link(self.request, here)}
        return {"required": resource.second_factor_required, "links": links}

    def update(self, request: Request, guid: str) -> Response:
        required = Change.read(request.data)["required"]
        return Response(self.present(actions.require_second_factor(self.user, self.found(guid), required=required)))
