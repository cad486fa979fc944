"""The v3 door of who may do what in an organization: ours, beside Cloud Foundry's roles."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Choice, Form, Query, ResourceViewSet, Text, link, named, no_content, stamp
from tenants import access, reasons
from tenants.actions import matrix as actions
from tenants.models import Organization, Space
from tenants.permissions import TABLE


class OneRole(Form):
    """A role of a person: Cloud Foundry's by name or a custom one by guid, in the organization unless a space is given."""

    user = serializers.CharField(max_length=64)
    role = serializers.CharField(max_length=64)
    space = serializers.CharField(max_length=64, required=False, allow_null=True)


class Changes(Form):
    give = OneRole(many=True, required=False)
    take = OneRole(many=True, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class PermissionViewSet(ResourceViewSet):
    """What people may do in one organization, why, and changing the roles of many at once."""

    noun = "Organization"
    query = Query(
        filters={"user": Text("guid"), "space": Text("guid"), "permission": Choice("guid", tuple(TABLE))}, labels=False
    )

    def queryset(self) -> Any:
        return Organization.objects.visible_to(self.user)

    def why(self, request: Request, guid: str) -> Response:
        """``?user=GUID&permission=app.push[&space=GUID]``: whether the person may, and which grants say so."""
        organization = self.found(guid)
        self.query.apply(Organization.objects.none(), request.query_params)  # what is unknown is refused
        asked = request.query_params
        place = self._place(organization, asked.get("space"))
        verb = asked.get("permission", "")
        if verb not in TABLE:
            raise Unprocessable(f"Name a permission: one of {', '.join(TABLE)}.")
        person = self._person(organization, asked.get("user", ""))
        answer = reasons.why(person, verb, place)
        return Response(
            {
                "permission": verb,
                "description": TABLE[verb].sentence,
                "allowed": answer.holds,
                "platform_role": answer.platform_role or None,
                "grants": [self._grant(row) for row in answer.grants],
                "roles_that_would_allow_it": answer.would,
                "links": {"self": link(request, request.get_full_path())},
            }
        )

    def change_roles(self, request: Request, guid: str) -> Any:
        """Give and take roles of several people, in the organization and its spaces, all or nothing."""
        organization = self.found(guid)
        sent = Changes.read(request.data)
        give, take = ([self._change(organization, each) for each in sent.pop(name, [])] for name in ("give", "take"))
        actions.change_everywhere(self.user, organization, give=give, take=take, **sent)
        return no_content()

    def _change(self, organization: Organization, sent: dict[str, Any]) -> actions.Change:
        place = self._place(organization, sent.get("space"))
        if sent["role"] not in access.roles_of(place):
            raise Unprocessable(f"'{sent['role']}' is no role that can be given in '{place.name}'.")
        return actions.Change(self._person(organization, sent["user"]), place, sent["role"])

    def _place(self, organization: Organization, space: str | None) -> Organization | Space:
        if not space:
            return organization
        rows = Space.objects.visible_to(self.user).filter(organization=organization).select_related("organization")
        return named(rows, space, "space")

    @staticmethod
    def _person(organization: Organization, guid: str) -> User:
        return named(access.people_of(organization), guid, "user")

    @staticmethod
    def _grant(row: reasons.Row) -> dict[str, Any]:
        return {
            "guid": row.guid,
            "role": row.permission.codename,
            "name": access.role_label(row.permission),
            "place": {"type": row.content_object._meta.model_name, "guid": row.content_object.guid},
            "granted_by": row.granted_by.username if row.granted_by else None,
            "created_at": stamp(row.created_at),
            "expires_at": stamp(row.expires_at),
            "reason": row.reason,
        }
