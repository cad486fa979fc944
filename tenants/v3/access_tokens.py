"""The v3 door of API tokens: ours, not Cloud Foundry's. Everybody sees their own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import revoke_api_token
from accounts.models import ApiToken
from paas.lib.errors import NotAuthorized
from paas.lib.v3 import Form, Names, Query, ResourceViewSet, base, link, no_content, stamp, to_one
from tenants.actions import token as actions


class New(Form):
    name = serializers.CharField(max_length=255)
    expires_at = serializers.DateTimeField(required=False)
    scope = serializers.CharField(max_length=255, required=False)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=100, required=False, allow_null=True
    )


class AccessTokenViewSet(ResourceViewSet):
    noun = "Access token"
    query = Query(filters={"names": Names("name")}, orders={"name": "name", "expires_at": "expires_at"}, labels=False)

    def queryset(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=self.user).select_related("user")

    def present(self, resource: ApiToken) -> dict[str, Any]:
        """``permissions`` is null where the token can do whatever its person can."""
        return base(
            resource,
            name=resource.name,
            scope=resource.scope,
            permissions=resource.verbs,
            expires_at=stamp(resource.expires_at),
            last_used_at=stamp(resource.last_used_at),
            last_used_address=resource.last_used_address or None,
            relationships={"user": to_one(resource.user.guid)},
            links={"self": link(self.request, f"/v3/access_tokens/{resource.guid}")},
        )

    def create(self, request: Request) -> Response:
        """Answer the token's text as ``token``: this once. A token for scripts makes no further ones."""
        if isinstance(request.auth, ApiToken):
            raise NotAuthorized("An API token cannot make another. Sign in, and make it then.")
        token, text = actions.create(self.user, **New.read(request.data))
        return Response({**self.present(token), "token": text}, status=201)

    def destroy(self, request: Request, guid: str) -> Any:
        revoke_api_token(self.user, self.found(guid))
        return no_content()
