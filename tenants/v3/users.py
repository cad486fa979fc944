"""The v3 door of people and robots: who may be seen, and how they are called."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.access import authorize
from accounts.models import User
from paas.lib.errors import Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Form, MetadataField, Query, ResourceViewSet, accepted, link
from tenants.access import people_visible_to
from tenants.v3 import shapes
from tenants.v3.people import PEOPLE


class New(Form):
    guid = serializers.CharField(max_length=255, required=False)
    username = serializers.CharField(max_length=255, required=False)
    origin = serializers.CharField(max_length=64, required=False)
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if "guid" in sent and ("username" in sent or "origin" in sent):
            raise serializers.ValidationError("Guid cannot be specified if username or origin is specified")
        if "guid" not in sent and not ("username" in sent and "origin" in sent):
            raise serializers.ValidationError("Guid or 'username' and 'origin' must be specified")
        if sent.get("origin") == "uaa":
            raise serializers.ValidationError("Origin cannot be 'uaa' when creating a user by username")
        return sent


class Change(Form):
    metadata = MetadataField(required=False)


class PlatformRole(Form):
    role = serializers.ChoiceField([each for each in User.PlatformRole.values if each], allow_null=True)


class UserViewSet(ResourceViewSet):
    noun = "User"
    query = Query(filters=PEOPLE.filters, orders={"username": "username"})

    def queryset(self) -> QuerySet[User]:
        return people_visible_to(self.user).exclude(kind=User.Kind.SYSTEM)

    def present(self, resource: User) -> dict[str, Any]:
        return shapes.user(self.request, resource)

    def create(self, request: Request) -> Response:
        """Make somebody who signs in elsewhere, or acknowledge an account that was made at ``/uaa/Users``."""
        sent = New.read(request.data)
        metadata = sent.pop("metadata", None)
        authorize(self.user, "account.manage")
        if "guid" in sent:
            user = by_guid(self.queryset(), sent["guid"])
            if user is None:
                raise Unprocessable(f"There is no account with the guid '{sent['guid']}'. Make it at /uaa/Users first.")
        else:
            user = actions.create_user(self.user, **sent)
        if metadata:
            user = actions.describe_user(self.user, user, metadata=metadata)
        return Response(self.present(user), status=201)

    def update(self, request: Request, guid: str) -> Response:
        user = self.found(guid)
        sent = Change.read(request.data)
        user = actions.describe_user(self.user, user, metadata=sent.get("metadata") or {})
        return Response(self.present(user))

    def platform_role(self, request: Request, guid: str) -> Response:
        """What somebody may do on the whole platform: ours, for platform admins."""
        authorize(self.user, "account.manage" if request.method == "PATCH" else "account.view")
        user = self.found(guid)
        if request.method == "PATCH":
            user = actions.set_platform_role(self.user, user, role=PlatformRole.read(request.data)["role"] or "")
        here = f"/v3/users/{user.guid}"
        links = {"self": link(request, f"{here}/platform_role"), "user": link(request, here)}
        return Response({"role": user.platform_role or None, "links": links})

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete_user(self.user, self.found(guid)))
