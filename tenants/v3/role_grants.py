"""The v3 door of all roles that are held, Cloud Foundry's and custom ones, with end, reason and giver: ours.

``/v3/roles`` shows the same grants as Cloud Foundry's clients know them, custom ones as what they cover.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Bool, Form, Query, Text, ToOne, accepted, base, link, named, stamp, to_one
from paas.lib.v3.query import Filter
from tenants import access
from tenants.access import authorize
from tenants.actions import role as actions
from tenants.models import CustomRole, Organization, OrganizationRole, Space, SpaceRole
from tenants.v3 import roles
from tenants.v3.roles import TYPES, RoleViewSet

MOST_WORDS = 2000


class Change(Form):
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=MOST_WORDS, required=False, allow_blank=True)


class Ends(roles.Ends):
    custom_role = ToOne(required=False)


class New(Change):
    type = serializers.ChoiceField(TYPES, required=False)
    relationships = Ends()

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if ("type" in sent) == ("custom_role" in sent["relationships"]):
            raise serializers.ValidationError("Type or a custom_role relationship must be given, and not both")
        if "type" in sent:
            roles.check_place(sent)
        return sent


MORE: dict[str, Filter] = {
    "custom_role_guids": Text("permission__custom_role__guid"),
    "lasting": Bool("expires_at__isnull"),
}
JOINED = ("permission__custom_role", "granted_by")


class RoleGrantViewSet(RoleViewSet):
    noun = "Role grant"
    query = Query(filters=roles.IN_ORGANIZATIONS | MORE, includes=roles.INCLUDES, labels=False)
    query_in_spaces = Query(filters=roles.IN_SPACES | MORE, includes=roles.INCLUDES, labels=False)

    def shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """All of them, also those that cover no role of Cloud Foundry's."""
        return rows.select_related(*JOINED)

    def present(self, resource: OrganizationRole | SpaceRole) -> dict[str, Any]:
        """``type`` is the role of Cloud Foundry's that it is or covers, if any."""
        in_space, own = isinstance(resource, SpaceRole), getattr(resource.permission, "custom_role", None)
        kind = "space" if in_space else "organization"
        return base(
            resource,
            name=access.role_label(resource.permission),
            type=resource.type or None,
            expires_at=stamp(resource.expires_at),
            reason=resource.reason,
            relationships={
                "user": to_one(resource.user.guid),
                "organization": to_one(None if in_space else resource.content_object.guid),
                "space": to_one(resource.content_object.guid if in_space else None),
                "custom_role": to_one(own.guid if own else None),
                "granted_by": to_one(resource.granted_by.guid if resource.granted_by else None),
            },
            links={
                "self": link(self.request, f"/v3/role_grants/{resource.guid}"),
                "user": link(self.request, f"/v3/users/{resource.user.guid}"),
                kind: link(self.request, f"/v3/{kind}s/{resource.content_object.guid}"),
            },
        )

    def create(self, request: Request) -> Response:
        """Give a role, custom or Cloud Foundry's, until an end and for a reason."""
        sent = New.read(request.data)
        ends = sent.pop("relationships")
        place = self._place(ends)
        authorize(self.user, actions.VERB, place)  # before anybody learns who exists
        role = sent.pop("type", None) or self._custom(place, ends["custom_role"])
        person = self._person(ends["user"]["data"], place)
        given = actions.give(self.user, person, role=role, place=place, **sent)
        return Response(self.present(given), status=201)

    def update(self, request: Request, guid: str) -> Response:
        """Set, move or remove the end, or tell another reason."""
        grant, sent = self.found(guid), Change.read(request.data)
        wish = {"expires_at": grant.expires_at, "reason": grant.reason} | sent
        actions.set_end(self.user, grant, **wish)
        return Response(self.present(self.found(guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        """Take a role; with ``?recursive=true`` membership goes together with the roles in the organization's spaces."""
        recursive = request.query_params.get("recursive") == "true"
        return accepted(request, actions.take(self.user, self.found(guid), with_spaces=recursive))

    @staticmethod
    def _custom(place: Organization | Space, guid: str) -> str:
        role: CustomRole = named(access.custom_roles(place), guid, "custom role")
        return role.guid
