"""The v3 door of an organization's own roles: ours, in Cloud Foundry's manner; ``role_grants`` says who holds them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import (
    Choice,
    Form,
    MetadataField,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToOne,
    accepted,
    base,
    link,
    metadata,
    named,
    to_one,
)
from tenants import effects
from tenants.actions import custom_role as actions
from tenants.models import CustomRole, Organization, SpaceRole
from tenants.permissions import ORGANIZATION, SPACE, covering


class Verbs(serializers.ListField):
    """Named permissions, as the documentation lists them."""

    child = serializers.CharField(max_length=64)


class Change(Form):
    name = serializers.CharField(max_length=64, required=False)
    description = serializers.CharField(max_length=255, required=False, allow_blank=True)
    permissions = Verbs(max_length=100, required=False)
    preview = serializers.CharField(max_length=64, required=False)
    metadata = MetadataField(required=False)


class Owner(Form):
    organization = ToOne()


class New(Form):
    name = serializers.CharField(max_length=64)
    description = serializers.CharField(max_length=255, required=False, allow_blank=True)
    where = serializers.ChoiceField((ORGANIZATION, SPACE), required=False)
    permissions = Verbs(max_length=100, required=False)
    copy_of = serializers.CharField(max_length=255, required=False)
    relationships = Owner()
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "copy_of" not in sent and not {"where", "permissions"} <= set(sent):
            raise serializers.ValidationError("Where and permissions must be given, or copy_of")
        return sent


class Asked(Form):
    permissions = Verbs(max_length=100)


class CustomRoleViewSet(ResourceViewSet):
    noun = "Custom role"
    query = Query(
        filters={
            "names": Names("name"),
            "organization_guids": Text("organization__guid"),
            "where": Choice("where", (ORGANIZATION, SPACE)),
        },
        orders={"name": "name"},
    )

    def queryset(self) -> QuerySet[CustomRole]:
        return CustomRole.objects.visible_to(self.user).select_related("organization")

    def present(self, resource: CustomRole) -> dict[str, Any]:
        """``type`` is the widest of Cloud Foundry's roles that it covers, as which ``/v3/roles`` lists its grants."""
        here = f"/v3/custom_roles/{resource.guid}"
        return base(
            resource,
            name=resource.name,
            description=resource.description,
            where=resource.where,
            permissions=resource.verbs,
            type=covering(resource.verbs, resource.where) or None,
            relationships={"organization": to_one(resource.organization.guid)},
            metadata=metadata(resource),
            links={
                "self": link(self.request, here),
                "organization": link(self.request, f"/v3/organizations/{resource.organization.guid}"),
                "grants": link(self.request, f"/v3/role_grants?custom_role_guids={resource.guid}"),
                "preview": link(self.request, f"{here}/actions/preview", "POST"),
            },
        )

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        guid = sent.pop("relationships")["organization"]
        organization = named(Organization.objects.visible_to(self.user), guid, "organization")
        role = actions.create(self.user, organization, verbs=sent.pop("permissions", None), **sent)
        return Response(self.present(role), status=201)

    def update(self, request: Request, guid: str) -> Response:
        """Change a custom role; ``preview`` is the mark that ``actions/preview`` answered."""
        role, sent = self.found(guid), Change.read(request.data)
        if "permissions" in sent:
            sent["verbs"] = sent.pop("permissions")
        return Response(self.present(actions.update(self.user, role, **sent)))

    def destroy(self, request: Request, guid: str) -> Any:
        """Delete a custom role; with ``?recursive=true`` it is taken from whoever holds it."""
        recursive = request.query_params.get("recursive") == "true"
        return accepted(request, actions.delete(self.user, self.found(guid), recursive=recursive))

    def preview(self, request: Request, guid: str) -> Response:
        """Tell whom a change of permissions would affect, and what they would gain and lose."""
        role = self.found(guid)
        verbs = actions.made_of(self.user, role, Asked.read(request.data)["permissions"])
        told = effects.preview(role, verbs)
        return Response(
            {
                "preview": told.mark,
                "permissions": {"gained": told.gained, "lost": told.lost},
                "affected": [self._effect(effect) for effect in told.affected],
                "links": {"self": link(request, f"/v3/custom_roles/{guid}")},
            }
        )

    @staticmethod
    def _effect(effect: effects.Effect) -> dict[str, Any]:
        place, user = effect.row.content_object, effect.row.user
        kind = "space" if isinstance(effect.row, SpaceRole) else "organization"
        return {
            "grant": {"guid": effect.row.guid},
            "user": {"guid": user.guid, "username": user.username},
            kind: {"guid": place.guid, "name": place.name},
            "gains": effect.gains,
            "loses": effect.loses,
        }
