"""Who calls the API: the holder of a bearer token, never of a session cookie."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts import tokens
from accounts.models import ApiToken, User
from paas.lib.errors import InvalidAuthToken, NotAuthorized


class BearerAuthentication(BaseAuthentication):
    """``Authorization: bearer <token>``, in any case; ``request.auth`` is the token's row."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken | ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not text.strip():
            raise InvalidAuthToken()
        user, token = tokens.holder(text.strip())
        scope = token.scope.split()
        if (tokens.READ if request.method in SAFE_METHODS else tokens.WRITE) not in scope:
            raise NotAuthorized("Your token lacks the necessary scopes to access this resource.")
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    """How the API's description names it."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token (`cf oauth-token`) or an API token made on your account's page.",
        }
