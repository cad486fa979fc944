"""The v3 door of requests for roles: ours. Everybody sees their own, and who manages members those of others."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import Unprocessable
from paas.lib.v3 import Choice, Form, Query, ResourceViewSet, Text, ToOne, base, link, stamp, to_one
from tenants import access
from tenants.actions import role_request as actions
from tenants.models import Organization, RoleRequest
from tenants.v3.role_grants import MOST_WORDS
from tenants.v3.roles import INVALID, TYPES


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


class Answer(Form):
    answer = serializers.CharField(max_length=MOST_WORDS, required=False, allow_blank=True)


class RoleRequestViewSet(ResourceViewSet):
    noun = "Role request"
    query = Query(
        filters={
            "states": Choice("state", tuple(RoleRequest.State.values)),
            "user_guids": Text("user__guid"),
            "organization_guids": Text("organization__guid"),
            "space_guids": Text("space__guid"),
        },
        labels=False,
    )

    def queryset(self) -> QuerySet[RoleRequest]:
        joined = ("user", "organization", "space__organization", "permission__custom_role", "decided_by")
        return RoleRequest.objects.visible_to(self.user).select_related(*joined)

    def present(self, resource: RoleRequest) -> dict[str, Any]:
        here, own = f"/v3/role_requests/{resource.guid}", getattr(resource.permission, "custom_role", None)
        return base(
            resource,
            name=access.role_label(resource.permission),
            type=None if own else resource.permission.codename,
            state=resource.state,
            reason=resource.reason,
            expires_at=stamp(resource.expires_at),
            answer=resource.answer,
            decided_at=stamp(resource.decided_at),
            relationships={
                "user": to_one(resource.user.guid),
                "organization": to_one(resource.organization.guid),
                "space": to_one(resource.space.guid if resource.space else None),
                "custom_role": to_one(own.guid if own else None),
                "decided_by": to_one(resource.decided_by.guid if resource.decided_by else None),
            },
            links={
                "self": link(self.request, here),
                **{
                    did: link(self.request, f"{here}/actions/{did}", "POST") for did in ("accept", "refuse", "withdraw")
                },
            },
        )

    def create(self, request: Request) -> Response:
        """Ask for a role; a space in the organization may be named, as it need not be seen."""
        sent = New.read(request.data)
        ends = sent.pop("relationships")
        organization = Organization.objects.visible_to(self.user).filter(guid=ends["organization"]).first()
        if organization is None:
            raise Unprocessable(INVALID.format("organization"))
        place = actions.place_named(organization, **ends["space"]["data"]) if "space" in ends else organization
        role = sent.pop("type", None) or ends["custom_role"]
        made = actions.ask(self.user, place, role=role, **sent)
        return Response(self.present(made), status=201)

    def accept(self, request: Request, guid: str) -> Response:
        """Give the role; ``already_held`` says that its person has it without that."""
        made, given = actions.accept(self.user, self.found(guid), **Answer.read(request.data))
        return Response({**self.present(made), "already_held": not given})

    def refuse(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.refuse(self.user, self.found(guid), **Answer.read(request.data))))

    def withdraw(self, request: Request, guid: str) -> Response:
        Form.read(request.data)
        return Response(self.present(actions.withdraw(self.user, self.found(guid))))
