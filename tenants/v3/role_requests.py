"""The v3 door of requests for roles: ours. Everybody sees their own, and who manages members those of others."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Form, ToOne, named, stamp
from tenants import access
from tenants.actions import role_request as actions
from tenants.models import Organization, RoleRequest
from tenants.v3.decisions import Answer, DecisionViewSet, filtered
from tenants.v3.role_grants import MOST_WORDS
from tenants.v3.roles import TYPES


class Where(Form):
    guid = serializers.CharField(max_length=255, required=False)
    name = serializers.CharField(max_length=255, required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if len(sent) != 1:
            raise serializers.ValidationError("must have a guid or a name")
        return sent


class ToSpace(Form):
    data = Where()  # type: ignore[assignment]


class Ends(Form):
    organization = ToOne()
    space = ToSpace(required=False)
    custom_role = ToOne(required=False)


class New(Form):
    type = serializers.ChoiceField(TYPES, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=MOST_WORDS, required=False, allow_blank=True)
    relationships = Ends()

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if ("type" in sent) == ("custom_role" in sent["relationships"]):
            raise serializers.ValidationError("Type or a custom_role relationship must be given, and not both")
        return sent


class RoleRequestViewSet(DecisionViewSet):
    noun = "Role request"
    query = filtered("user")
    actions, path = actions, "/v3/role_requests"

    def queryset(self) -> QuerySet[RoleRequest]:
        joined = ("user", "organization", "space__organization", "permission__custom_role", "decided_by")
        return RoleRequest.objects.visible_to(self.user).select_related(*joined)

    def present(self, resource: RoleRequest) -> dict[str, Any]:
        own = getattr(resource.permission, "custom_role", None)
        return self.shown(
            resource,
            asker=resource.user,
            relationships={"custom_role": own.guid if own else None},
            name=access.role_label(resource.permission),
            type=None if own else resource.permission.codename,
            expires_at=stamp(resource.expires_at),
        )

    def create(self, request: Request) -> Response:
        """Ask for a role; a space in the organization may be named, as it need not be seen."""
        sent = New.read(request.data)
        ends = sent.pop("relationships")
        organization = named(Organization.objects.visible_to(self.user), ends["organization"], "organization")
        place = actions.place_named(organization, **ends["space"]["data"]) if "space" in ends else organization
        role = sent.pop("type", None) or ends["custom_role"]
        made = actions.ask(self.user, place, role=role, **sent)
        return Response(self.present(made), status=201)

    def accept(self, request: Request, guid: str) -> Response:
        """Give the role; ``already_held`` says that its person has it without that."""
        made, given = actions.accept(self.user, self.found(guid), **Answer.read(request.data))
        return Response({**self.present(made), "already_held": not given})
