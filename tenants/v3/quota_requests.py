"""The v3 door of requests for larger quotas: ours. Who may ask somewhere sees what was asked for there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Form, ToOne, named
from tenants.actions import quota_request as actions
from tenants.models import Organization, OrganizationQuota, QuotaRequest, Space, SpaceQuota
from tenants.v3 import limits
from tenants.v3.decisions import Answer, DecisionViewSet, filtered
from tenants.v3.role_grants import MOST_WORDS


class Place(Form):
    """An organization or a space."""

    organization = ToOne(required=False)
    space = ToOne(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if len(sent) != 1:
            raise serializers.ValidationError("must have an organization or a space, and not both")
        return sent


class New(Form):
    apps = limits.Apps(required=False)
    services = limits.Services(required=False)
    routes = limits.Routes(required=False)
    domains = limits.Domains(required=False)
    reason = serializers.CharField(max_length=MOST_WORDS, required=False, allow_blank=True)
    relationships = Place()

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if None in limits.columns(sent).values():
            raise serializers.ValidationError("Limits must be figures: how much is needed?")
        return sent


class Chosen(Form):
    quota = ToOne(required=False)


class Acceptance(Answer):
    relationships = Chosen(required=False)


class QuotaRequestViewSet(DecisionViewSet):
    noun = "Quota request"
    query = filtered("asked_by")
    actions, path = actions, "/v3/quota_requests"

    def queryset(self) -> QuerySet[QuotaRequest]:
        joined = ("asked_by", "organization", "space__organization", "decided_by")
        return QuotaRequest.objects.visible_to(self.user).select_related(*joined)

    def present(self, resource: QuotaRequest) -> dict[str, Any]:
        return self.shown(resource, asker=resource.asked_by, **limits.grouped(resource.limits))

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        noun, guid = next(iter(sent["relationships"].items()))
        model: Any = Organization if noun == "organization" else Space
        joined = ("quota",) if noun == "organization" else ("quota", "organization")
        place = named(model.objects.visible_to(self.user).select_related(*joined), guid, noun)
        made = actions.ask(self.user, place, limits=limits.columns(sent), reason=sent.get("reason", ""))
        return Response(self.present(made), status=201)

    def accept(self, request: Request, guid: str) -> Response:
        """Enlarge the quota, or give the one that is named."""
        found, sent = self.found(guid), Acceptance.read(request.data)
        chosen = sent.pop("relationships", {}).get("quota")
        quota = self._quota(found, chosen) if chosen else None
        return Response(self.present(actions.accept(self.user, found, quota=quota, **sent)))

    def _quota(self, found: QuotaRequest, guid: str) -> OrganizationQuota | SpaceQuota:
        rows: Any = (
            SpaceQuota.objects.filter(organization=found.organization) if found.space else OrganizationQuota.objects
        )
        quota: OrganizationQuota | SpaceQuota = named(rows, guid, "quota")
        return quota
