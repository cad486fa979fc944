"""The v3 door of space quotas: managers of an organization set them, members of a space see theirs."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import Unprocessable
from paas.lib.v3 import (
    Form,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToMany,
    ToOne,
    accepted,
    base,
    link,
    no_content,
    to_many,
    to_one,
)
from paas.lib.v3.query import values
from tenants.access import authorize, organizations_with
from tenants.actions import space_quota as actions
from tenants.models import Organization, Space, SpaceQuota, sees_all
from tenants.v3 import limits, shapes


class Ends(Form):
    organization = ToOne()
    spaces = ToMany(required=False)


class New(limits.Change):
    name = serializers.CharField(max_length=250)
    relationships = Ends()


def held_by(name: str, text: str) -> Q:
    """The quotas of any of these spaces, each once."""
    return Q(pk__in=Space.objects.filter(guid__in=values(text)).values("quota"))


class SpaceQuotaViewSet(ResourceViewSet):
    noun = "Space quota"
    query = Query(
        filters={
            "names": Names("name"),
            "organization_guids": Text("organization__guid"),
            "space_guids": held_by,
        },
        orders={"name": "name"},
        labels=False,
    )

    def queryset(self) -> QuerySet[SpaceQuota]:
        spaces = Space.objects.visible_to(self.user)
        rows = SpaceQuota.objects.filter(organization__deleting_at=None).select_related("organization")
        if not sees_all(self.user, "organization.view"):
            managed = organizations_with(self.user, actions.VERB).values("pk")
            rows = rows.filter(Q(organization__in=managed) | Q(pk__in=spaces.exclude(quota=None).values("quota")))
        return rows.prefetch_related(Prefetch("spaces", spaces.only("guid", "quota_id"), to_attr="seen"))

    def present(self, resource: SpaceQuota) -> dict[str, Any]:
        return base(
            resource,
            name=resource.name,
            **shapes.limits(resource),
            relationships={
                "organization": to_one(resource.organization.guid),
                "spaces": to_many(space.guid for space in resource.seen),
            },
            links={
                "self": link(self.request, f"/v3/space_quotas/{resource.guid}"),
                "organization": link(self.request, f"/v3/organizations/{resource.organization.guid}"),
            },
        )

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        guid = sent["relationships"]["organization"]
        organization = Organization.objects.visible_to(self.user).filter(guid=guid).first()
        if organization is None:
            raise Unprocessable(f"Organization with guid '{guid}' does not exist, or you do not have access to it.")
        authorize(self.user, actions.VERB, organization)
        spaces = self._spaces(sent["relationships"].get("spaces", []))
        quota = actions.create(self.user, organization, spaces=spaces, **limits.columns(sent))
        return Response(self.present(self.found(quota.guid)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        quota = actions.update(self.user, self.found(guid), **limits.columns(limits.Change.read(request.data)))
        return Response(self.present(self.found(quota.guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def apply(self, request: Request, guid: str) -> Response:
        quota = self.found(guid)
        authorize(self.user, actions.VERB, quota)
        actions.apply(self.user, quota, spaces=self._spaces(ToMany.whole(request.data)))
        here = f"/v3/space_quotas/{guid}/relationships/spaces"
        held = to_many(space.guid for space in self.found(guid).seen)
        return Response({**held, "links": {"self": link(request, here)}})

    def remove(self, request: Request, guid: str, space: str) -> Any:
        quota = self.found(guid)
        authorize(self.user, actions.VERB, quota)
        held = next((row for row in quota.seen if row.guid == space), None)
        if held is None:
            raise Unprocessable(
                f"Unable to remove quota from space with guid '{space}'. "
                "Ensure the space quota is applied to this space."
            )
        actions.remove(self.user, quota, space=held)
        return no_content()

    def _spaces(self, guids: list[str]) -> list[Space]:
        found = {row.guid: row for row in Space.objects.visible_to(self.user).filter(guid__in=guids)}
        if missing := [guid for guid in guids if guid not in found]:
            wrong = ", ".join(f'"{guid}"' for guid in missing)
            raise Unprocessable(f"Spaces with guids [{wrong}] do not exist, or you do not have access to them.")
        return list(found.values())
