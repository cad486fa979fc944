"""Turns what a client shows (a password, a passcode, a refresh token, its own secret) into tokens, or refuses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauthlib.oauth2 import (
    BearerToken,
    ClientCredentialsGrant,
    OAuth2Error,
    RefreshTokenGrant,
    ResourceOwnerPasswordCredentialsGrant,
    TokenEndpoint,
)

from accounts import signin, tokens
from paas.lib.errors import InvalidAuthToken
from paas.lib.text import is_storable

GRACE = timedelta(seconds=settings.OAUTH2_PROVIDER["REFRESH_TOKEN_GRACE_PERIOD_SECONDS"])
PASSCODE = "passcode"


class Unauthorized(OAuth2Error):
    error, status_code = "unauthorized", 401


class InvalidToken(OAuth2Error):
    error, status_code = "invalid_token", 401
    description = "The refresh token expired, was revoked, or is not ours. Log in again."


class Validator(OAuth2Validator):
    """The library checks clients and scopes; who somebody is, and what is kept of a token, is ours."""

    def validate_user(self, username: str, password: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        where = {"address": request.headers["REMOTE_ADDR"], "door": client.client_id}
        try:
            if code := getattr(request, "passcode", ""):
                request.user = signin.by_passcode(code, **where)
            else:
                request.user = signin.by_password(username, password, **where)
        except signin.Locked as error:
            raise Unauthorized(error.detail) from error
        except signin.Refused as error:
            raise Unauthorized("Bad credentials") from error
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *_: Any, **__: Any
    ) -> bool:
        return bool(
            client.allows_grant_type({"refresh_token": "password"}.get(grant_type, grant_type.replace("_", "-")))
        )

    named: Any = None  # the client that the request names, with the right secret or not

    def _load_application(self, client_id: str, request: Any) -> Any:
        found = super()._load_application(client_id, request) if is_storable(client_id or "") else None
        self.named = found or self.named
        return found

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        right = super().authenticate_client(request, *args, **kwargs)
        client = self.named
        if client and client.client_type == client.CLIENT_CONFIDENTIAL:
            try:
                signin.checked(client.client_id, right, address=request.headers["REMOTE_ADDR"])
            except signin.Locked as error:
                raise Unauthorized(error.detail) from error
        if not right:
            return False
        if request.grant_type == "client_credentials":
            request.user = request.client.user
            return request.user is not None and request.user.is_active
        return True

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        """Find the token's row and lock it. One that was exchanged a moment ago is good for a client's other process."""
        try:
            jti = tokens.claims_of(refresh_token)["jti"]
        except InvalidAuthToken as error:
            raise InvalidToken() from error
        rows = RefreshToken.objects.select_for_update(of=("self",)).select_related("user")
        row = rows.filter(token_checksum=tokens.digest(jti), application=client).first()
        if row is None or not row.user.is_active:
            raise InvalidToken()
        if row.revoked and row.revoked < timezone.now() - GRACE:
            tokens.forget_family(row)  # somebody else has it
            raise InvalidToken()
        request.user, request.refresh_token_instance = row.user, row
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *_: Any, **__: Any) -> list[str]:
        scopes: list[str] = tokens.claims_of(refresh_token)["scope"]
        return scopes

    def save_bearer_token(self, token: dict[str, Any], request: Any, *_: Any, **__: Any) -> None:
        """Write the tokens' rows and finish the answer in UAA's manner."""
        access = tokens.keep(request.user, token["access_token"], request.client)
        if "refresh_token" in token:
            before = getattr(request, "refresh_token_instance", None)
            if before and not before.revoked:
                RefreshToken.objects.filter(pk=before.pk).update(revoked=timezone.now())
            family = before.token_family if before else None
            tokens.keep_refresh(request.user, token["refresh_token"], access, family=family)
        token |= {"token_type": "bearer", "expires_in": token["expires_in"] - 1, "jti": access.token}


def _with_passcode(request: Any) -> None:
    """``cf login --sso`` sends a passcode instead of a name and a password, which the library insists on."""
    if getattr(request, "passcode", ""):
        request.username = request.password = PASSCODE


def endpoint() -> TokenEndpoint:
    """Return the library's token endpoint with the three grants that clients of Cloud Foundry use."""
    validator = Validator()
    password = ResourceOwnerPasswordCredentialsGrant(validator)
    password.custom_validators.pre_token.append(_with_passcode)
    bearer = BearerToken(
        validator,
        token_generator=oauth2_settings.ACCESS_TOKEN_GENERATOR,
        refresh_token_generator=oauth2_settings.REFRESH_TOKEN_GENERATOR,
        expires_in=tokens.lifetime,
    )
    grants = {
        "password": password,
        "refresh_token": RefreshTokenGrant(validator),
        "client_credentials": ClientCredentialsGrant(validator),
    }
    return TokenEndpoint("", bearer, grants)
