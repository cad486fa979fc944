"""Access and refresh tokens: signed JWTs whose ``jti`` is a row, so that each can be taken back; and API tokens."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from accounts.models import ApiToken, User
from paas.lib.crypto import key_id
from paas.lib.errors import InvalidAuthToken

ALGORITHM = "HS256"
PREFIX = "slw_"  # of API tokens, so that whoever finds one knows what it is
READ, WRITE = "cloud_controller.read", "cloud_controller.write"
SCOPES: list[str] = settings.OAUTH2_PROVIDER["DEFAULT_SCOPES"]
SECONDS: int = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"]
ROBOT_SECONDS = 12 * 3600  # clients cannot refresh what they got for a secret
REFRESH_SECONDS: int = settings.OAUTH2_PROVIDER["REFRESH_TOKEN_EXPIRE_SECONDS"]
USED_EVERY = timedelta(minutes=1)  # how exactly the last use of an API token is kept


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _signing_key(secret: str) -> bytes:
    return hashlib.sha256(f"paas-tokens:{secret}".encode()).digest()


def sign(claims: dict[str, Any]) -> str:
    """Return the claims as a JWT under the newest key."""
    secret = settings.PAAS_SECRET_KEYS[0]
    return jwt.encode(claims, _signing_key(secret), algorithm=ALGORITHM, headers={"kid": key_id(secret)})


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JWT of ours says; raise ``InvalidAuthToken`` where it is another's, damaged or out of date."""
    try:
        name = jwt.get_unverified_header(token).get("kid")
        keys = [_signing_key(secret) for secret in settings.PAAS_SECRET_KEYS if key_id(secret) == name]
        if not keys:
            raise InvalidAuthToken()
        found: dict[str, Any] = jwt.decode(
            token,
            keys[0],
            algorithms=[ALGORITHM],
            options={"require": ["exp", "jti"], "verify_aud": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, UnicodeError) as error:
        raise InvalidAuthToken() from error
    return found


def _claims(user: User, client_id: str, scope: str, seconds: int, jti: str) -> dict[str, Any]:
    now = int(timezone.now().timestamp())
    who = {"user_name": user.username, "user_id": user.guid, "origin": user.origin, "email": user.email or ""}
    return {
        "jti": jti,
        "sub": user.guid,
        "client_id": client_id,
        "cid": client_id,
        "scope": scope.split(),
        "iat": now,
        "exp": now + seconds,
        "iss": f"{settings.PAAS_URL}/uaa/oauth/token",
        "revocable": True,
        **({} if user.kind == User.Kind.ROBOT else who),
    }


# What the OAuth library calls ------------------------------------------------------------------------------------


def lifetime(request: Any) -> int:
    """Return how many seconds the access token for this request of the library is good for."""
    return ROBOT_SECONDS if request.grant_type == "client_credentials" else SECONDS


def access_token(request: Any) -> str:
    """Sign an access token for a request of the library."""
    scope = " ".join(request.scopes)
    return sign(_claims(request.user, request.client.client_id, scope, request.expires_in, uuid.uuid4().hex))


def refresh_token(request: Any) -> str:
    """Sign a refresh token for a request of the library; it carries a ``jti`` of its own, so that it can be revoked."""
    scope, jti = " ".join(request.scopes), f"{uuid.uuid4().hex}-r"
    return sign(_claims(request.user, request.client.client_id, scope, REFRESH_SECONDS, jti))


# What is kept of them --------------------------------------------------------------------------------------------


def keep(user: User, token: str, application: Application | None) -> AccessToken:
    """Write the row by which an access token is known; what the person's old ones left is cleared away."""
    claims = claims_of(token)
    now = timezone.now()
    AccessToken.objects.filter(user=user, expires__lt=now).delete()
    RefreshToken.objects.filter(user=user, created__lt=now - timedelta(seconds=REFRESH_SECONDS)).delete()
    return AccessToken.objects.create(
        user=user,
        token=claims["jti"],
        application=application,
        expires=now + timedelta(seconds=claims["exp"] - claims["iat"]),
        scope=" ".join(claims["scope"]),
    )


def keep_refresh(user: User, token: str, access: AccessToken, *, family: uuid.UUID | None) -> RefreshToken:
    return RefreshToken.objects.create(
        user=user,
        token=claims_of(token)["jti"],
        application=access.application,
        access_token=access,
        token_family=family or uuid.uuid4(),
    )


def issue(user: User, *, seconds: int) -> str:
    """Return an access token for the platform's own errands, as ``cf`` would have got it."""
    token = sign(_claims(user, "cf", " ".join(SCOPES), seconds, uuid.uuid4().hex))
    keep(user, token, None)
    return token


def known(jti: str) -> AccessToken | RefreshToken | None:
    """Return the row of an access or refresh token that is in force."""
    same = Q(token_checksum=digest(jti))
    access: AccessToken | None = AccessToken.objects.select_related("user").filter(same).first()
    return access or RefreshToken.objects.select_related("user").filter(same, revoked=None).first()


def forget(user: User) -> None:
    """Take back every token that the person signed in for; API tokens stay."""
    AccessToken.objects.filter(user=user).delete()
    RefreshToken.objects.filter(user=user).delete()


def forget_family(token: RefreshToken) -> None:
    """Take back every token of the sign-in that this one came from; what is merely revoked has a grace, and no row has none."""
    family = RefreshToken.objects.filter(token_family=token.token_family)
    AccessToken.objects.filter(refresh_token__in=family).delete()
    family.delete()


def new_api_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


# Who holds one -----------------------------------------------------------------------------------------------------


def holder(text: str) -> tuple[User, AccessToken | ApiToken]:
    """Return whose the bearer token is, and its row; raise ``InvalidAuthToken``."""
    found = _of_api_token(text) if text.startswith(PREFIX) else _of_access_token(text)
    if found is None or found.user is None or not found.user.is_active:
        raise InvalidAuthToken()
    return found.user, found


def _of_access_token(text: str) -> AccessToken | None:
    checksum, now = digest(str(claims_of(text)["jti"])), timezone.now()
    return AccessToken.objects.select_related("user").filter(token_checksum=checksum, expires__gt=now).first()


def _of_api_token(text: str) -> ApiToken | None:
    now = timezone.now()
    found = ApiToken.objects.select_related("user").filter(digest=digest(text), expires_at__gt=now).first()
    if found and (found.last_used_at is None or found.last_used_at < now - USED_EVERY):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found
