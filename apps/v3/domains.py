"""The v3 door of domains: shared ones, and those of organizations."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from apps.actions import domain as actions
from apps.models import Domain, Route
from apps.v3.shapes import routing
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.v3 import (
    Form,
    MetadataField,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToMany,
    ToOne,
    accepted,
    link,
    no_content,
    to_many,
)
from tenants.models import Organization

NO_ORGANIZATION = "Organization with guid '{}' does not exist, or you do not have access to it."


class Ends(Form):
    organization = ToOne(required=False)
    shared_organizations = ToMany(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "shared_organizations" in sent and "organization" not in sent:
            raise serializers.ValidationError("cannot contain shared_organizations without an owning organization.")
        return sent


class New(Form):
    name = serializers.CharField()
    internal = serializers.BooleanField(required=False, allow_null=True)
    router_group = serializers.JSONField(required=False, allow_null=True)
    relationships = Ends(required=False)
    metadata = MetadataField(required=False)

    def validate_internal(self, value: bool | None) -> bool | None:
        if value:
            raise serializers.ValidationError(
                "domains are not available here: apps reach each other through their public routes"
            )
        return value

    def validate_router_group(self, value: Any) -> Any:
        if value is not None:
            guid = value.get("guid", "") if isinstance(value, dict) else ""
            raise serializers.ValidationError(
                f"with guid '{guid}' not found: there are no TCP routes here, and so no router groups"
            )
        return value


class Change(Form):
    metadata = MetadataField(required=False)


def rows(user: User) -> QuerySet[Domain]:
    """The domains that the user sees, with those of the organizations they are shared with that the user sees too."""
    seen = Prefetch("shared_with", Organization.objects.visible_to(user).only("guid"), to_attr="seen")
    return Domain.objects.visible_to(user).select_related("organization__quota").prefetch_related(seen)


def shown(request: Any, row: Any) -> dict[str, Any]:
    return routing.domain(request, row, [organization.guid for organization in row.seen])


def organizations(user: User, guids: list[str]) -> list[Organization]:
    """Return those organizations; raise the sentence about the first one that the user cannot see."""
    found = {row.guid: row for row in Organization.objects.visible_to(user).filter(guid__in=guids)}
    for guid in guids:
        if guid not in found:
            raise Unprocessable(NO_ORGANIZATION.format(guid))
    return list(found.values())


class DomainViewSet(ResourceViewSet):
    noun = "Domain"
    query = Query(filters={"names": Names("name"), "organization_guids": Text("organization__guid")})

    def queryset(self) -> QuerySet[Domain]:
        return rows(self.user)

    def present(self, resource: Domain) -> dict[str, Any]:
        return shown(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        ends = sent.get("relationships", {})
        owner = organizations(self.user, [ends["organization"]])[0] if "organization" in ends else None
        others = organizations(self.user, ends.get("shared_organizations", []))
        domain = actions.create(self.user, owner, name=sent["name"], shared_with=others, metadata=sent.get("metadata"))
        return Response(self.present(self.found(domain.guid)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        domain = actions.update(self.user, self.found(guid), **Change.read(request.data))
        return Response(self.present(self.found(domain.guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def reservations(self, request: Request, guid: str) -> Response:
        """Tell whether anybody at all has the host and path, without saying who."""
        domain = self.found(guid)
        host, path, port = (request.query_params.get(name, "") for name in ("host", "path", "port"))
        possible = port in ("", "0") and "\0" not in host + path
        taken = Route.objects.filter(domain=domain, host=host.lower(), path=path)
        return Response({"matching_route": possible and taken.exists()})

    def shared(self, request: Request, guid: str) -> Response:
        return Response(self._shared(self.found(guid)))

    def share(self, request: Request, guid: str) -> Response:
        domain = self.found(guid)
        actions.share(self.user, domain, organizations=organizations(self.user, ToMany.whole(request.data)))
        return Response(self._shared(self.found(guid)))

    def unshare(self, request: Request, guid: str, organization: str) -> Any:
        domain = self.found(guid)
        actions.unshare(self.user, domain, organization=organizations(self.user, [organization])[0])
        return no_content()

    def _shared(self, domain: Any) -> dict[str, Any]:
        here = f"/v3/domains/{domain.guid}/relationships/shared_organizations"
        return {
            **to_many(organization.guid for organization in domain.seen),
            "links": {"self": link(self.request, here)},
        }


class OrganizationDomainViewSet(ResourceViewSet):
    """The domains that routes of an organization can be on."""

    noun = "Organization"
    query = DomainViewSet.query

    def queryset(self) -> QuerySet[Organization]:
        return Organization.objects.visible_to(self.user)

    def present(self, resource: Domain) -> dict[str, Any]:
        return shown(self.request, resource)

    def every(self, request: Request, guid: str) -> Response:
        return self.page(request, rows(self.user).usable_in(self.found(guid)))  # type: ignore[attr-defined]

    def default(self, request: Request, guid: str) -> Response:
        domain = actions.default_of(self.found(guid))
        visible = rows(self.user).filter(pk=domain.pk).first() if domain else None
        if visible is None:
            raise NotFound("Domain not found")
        return Response(self.present(visible))
