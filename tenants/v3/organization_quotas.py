"""The v3 door of organization quotas: everybody reads them, admins write them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import Unprocessable
from paas.lib.v3 import Form, Names, Query, ResourceViewSet, ToMany, accepted, base, link, to_many
from paas.lib.v3.query import values
from tenants.access import authorize
from tenants.actions import organization_quota as actions
from tenants.models import Organization, OrganizationQuota
from tenants.v3 import limits, shapes


class Held(Form):
    organizations = ToMany(required=False)


class Change(limits.Change):
    domains = limits.Domains(required=False)


class New(Change):
    name = serializers.CharField(max_length=250)
    relationships = Held(required=False)


def held_by(name: str, text: str) -> Q:
    """The quotas of any of these organizations, each once."""
    return Q(pk__in=Organization.objects.filter(guid__in=values(text)).values("quota"))


class OrganizationQuotaViewSet(ResourceViewSet):
    noun = "Organization quota"
    query = Query(
        filters={"names": Names("name"), "organization_guids": held_by},
        orders={"name": "name"},
        labels=False,
    )

    def queryset(self) -> QuerySet[OrganizationQuota]:
        seen = Organization.objects.visible_to(self.user).only("guid", "quota_id")
        return OrganizationQuota.objects.prefetch_related(Prefetch("organizations", seen, to_attr="seen"))

    def present(self, resource: OrganizationQuota) -> dict[str, Any]:
        return base(
            resource,
            name=resource.name,
            **shapes.limits(resource),
            domains={"total_domains": resource.total_domains},
            relationships={"organizations": to_many(organization.guid for organization in resource.seen)},
            links={"self": link(self.request, f"/v3/organization_quotas/{resource.guid}")},
        )

    def create(self, request: Request) -> Response:
        authorize(self.user, "platform.manage")
        sent = New.read(request.data)
        held = self._organizations(sent.get("relationships", {}).get("organizations", []))
        quota = actions.create(self.user, organizations=held, **limits.columns(sent))
        return Response(self.present(self.found(quota.guid)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        quota = actions.update(self.user, self.found(guid), **limits.columns(Change.read(request.data)))
        return Response(self.present(self.found(quota.guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def apply(self, request: Request, guid: str) -> Response:
        quota = self.found(guid)
        authorize(self.user, "platform.manage")
        actions.apply(self.user, quota, organizations=self._organizations(ToMany.whole(request.data)))
        here = f"/v3/organization_quotas/{guid}/relationships/organizations"
        held = to_many(organization.guid for organization in self.found(guid).seen)
        return Response({**held, "links": {"self": link(request, here)}})

    def _organizations(self, guids: list[str]) -> list[Organization]:
        found = {row.guid: row for row in Organization.objects.visible_to(self.user).filter(guid__in=guids)}
        if missing := [guid for guid in guids if guid not in found]:
            wrong = ", ".join(f'"{guid}"' for guid in missing)
            raise Unprocessable(f"Organizations with guids [{wrong}] do not exist, or you do not have access to them.")
        return list(found.values())
