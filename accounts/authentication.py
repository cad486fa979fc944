"""Who calls the API: the holder of a bearer token, never of a session cookie."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts import access, factors, origin, ranges, tokens
from accounts.authority import Authority
from accounts.models import ApiToken, User
from paas.lib.errors import InvalidAuthToken, NotAuthorized

NO_FACTOR = f"Platform admins need a second factor here. Add one at {settings.PAAS_URL}/account/ways, then ask again."
KEYS = frozenset({"robot.manage"})  # of the floor above: it makes keys


class BearerAuthentication(BaseAuthentication):
    """``Authorization: bearer <token>``, in any case; ``request.auth`` is the token's row.

    The user's authority is what the token leaves of it, and where an account has address ranges, it is asked from there.
    """

    def authenticate(self, request: Request) -> tuple[User, AccessToken | ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not text.strip():
            raise InvalidAuthToken()
        held = tokens.holder(text.strip())
        origin.shown(held.via)
        address = origin.address_of(request._request)
        ranges.require(held.user, address)
        if factors.keeps_out(held.user) and not tokens.is_own_errand(held.token):
            raise NotAuthorized(NO_FACTOR)
        if used := held.token if isinstance(held.token, ApiToken) else held.key:
            tokens.note_use(used, address=address)
        scope = held.token.scope.split()
        if (tokens.READ if request.method in SAFE_METHODS else tokens.WRITE) not in scope:
            raise NotAuthorized("Your token lacks the necessary scopes to access this resource.")
        held.user.authority = authority_of(held)
        return held.user, held.token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def authority_of(held: tokens.Held) -> Authority:
    """Return what the token leaves of what its holder may: scripts never get hold of a way in that outlives theirs."""
    if isinstance(held.token, ApiToken):
        verbs = None if held.token.verbs is None else frozenset(held.token.verbs)
        return Authority(verbs=verbs, via=held.via, barred=access.WAYS_IN | KEYS)
    return Authority(via=held.via, barred=access.WAYS_IN if held.user.kind == User.Kind.ROBOT else frozenset())


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
