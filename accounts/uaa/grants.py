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

from accounts import factors, keys, origin, ranges, sessions, signin, tokens
from accounts.models import User
from paas.lib.errors import InvalidAuthToken
from paas.lib.text import is_storable

GRACE = timedelta(seconds=settings.OAUTH2_PROVIDER["REFRESH_TOKEN_GRACE_PERIOD_SECONDS"])
PASSCODE = "passcode"
PAGE = f"{settings.PAAS_URL}/uaa/passcode"


class Unauthorized(OAuth2Error):
    error, status_code = "unauthorized", 401


class Forbidden(OAuth2Error):
    error, status_code = "access_denied", 403


class SecondFactor(OAuth2Error):
    """Said to who knows the password; ``cf`` shows the words of a conflict, and not those of other errors."""

    error, status_code = "second_factor_required", 409


class InvalidToken(OAuth2Error):
    error, status_code = "invalid_token", 401
    description = "The refresh token expired, was revoked, or is not ours. Log in again."


class Validator(OAuth2Validator):
    """The library checks clients and scopes; who somebody is, and what is kept of a token, is ours."""

    def validate_user(self, username: str, password: str, client: Any, request: Any, *_: Any, **__: Any) -> bool:
        where = {"address": request.headers["REMOTE_ADDR"], "door": client.client_id}
        code = getattr(request, "passcode", "")
        try:
            person = signin.by_passcode(code, **where) if code else signin.by_password(username, password, **where)
        except signin.Locked as error:
            raise Unauthorized(error.detail) from error
        except signin.Refused as error:
            raise Unauthorized("Bad credentials") from error
        if not code and (factors.has(person) or factors.required_by(person)):
            raise SecondFactor(
                f"This account signs in with a second factor. Use `cf login --sso`, with a code from {PAGE}."
            )
        words = f"the command line ({client.client_id})"
        how, device = "passcode" if code else "password", f"{client.client_id} {where['address']}"
        signin.let_in(person, **where, how=how, device=device, words=words)
        request.user = person
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

    key: Any = None  # the robot's key that was shown as the secret

    def _check_secret(self, provided_secret: str, stored_secret: str) -> bool:
        """A robot of an organization has keys; a client that an admin made has one secret, which does not end."""
        robot = self.named.user
        self.key = keys.of_secret(provided_secret, robot) if robot else None
        return self.key is not None or bool(super()._check_secret(provided_secret, stored_secret))

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
            request.user, request.robot_key = request.client.user, self.key
            return request.user is not None and self._let_in(request.user, request.headers["REMOTE_ADDR"])
        return True

    def _let_in(self, robot: User, address: str) -> bool:
        """Say why a robot whose secret is right gets no token all the same."""
        if not robot.is_active and not self.key:
            return False
        if not robot.is_active:
            raise Forbidden(f"'{robot.username}' is suspended, as its organization is.")
        if self.key:
            origin.shown(f"key {self.key.name}")
        try:
            ranges.require(robot, address)
        except ranges.AddressRefused as error:
            raise Forbidden(error.detail) from error
        if self.key:
            tokens.note_use(self.key, address=address)
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
            kept = tokens.keep_refresh(request.user, token["refresh_token"], access, family=family)
            where = {"address": request.headers["REMOTE_ADDR"], "agent": request.headers["USER_AGENT"]}
            sessions.begin_command_line(request.user, kept.token_family, **where)
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
