"""Access and refresh tokens: signed JWTs whose ``jti`` is a row, so that each can be taken back; and API tokens.

What a robot got for one of its keys names the key, and is good for as long as that is.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from accounts.models import ApiToken, RobotKey, User, UserSession
from paas.lib.crypto import key_id
from paas.lib.errors import InvalidAuthToken

ALGORITHM = "HS256"
PREFIX = "slw_"  # of API tokens, so that whoever finds one knows what it is
READ, WRITE = "cloud_controller.read", "cloud_controller.write"
SCOPES: list[str] = settings.OAUTH2_PROVIDER["DEFAULT_SCOPES"]
SECONDS: int = settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"]
ROBOT_SECONDS = 12 * 3600  # clients cannot refresh what they got for a secret
REFRESH_SECONDS: int = settings.OAUTH2_PROVIDER["REFRESH_TOKEN_EXPIRE_SECONDS"]
USED_EVERY = timedelta(minutes=1)  # how exactly the last use of an API token or a key is kept


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
    scope, key = " ".join(request.scopes), getattr(request, "robot_key", None)
    claims = _claims(request.user, request.client.client_id, scope, request.expires_in, uuid.uuid4().hex)
    return sign(claims | ({"key": key.guid} if key else {}))


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


def is_own_errand(token: AccessToken | ApiToken) -> bool:
    """Whether ``issue`` made the token, which takes being on the platform's own machine."""
    return isinstance(token, AccessToken) and token.application_id is None


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
    forget_families([token.token_family])


def forget_families(families: Iterable[uuid.UUID]) -> None:
    """Take back every token of whole sign-ins."""
    rows = RefreshToken.objects.filter(token_family__in=families)
    AccessToken.objects.filter(refresh_token__in=rows).delete()
    rows.delete()


def sign_out(token: AccessToken | RefreshToken) -> None:
    """Take back what a command line shows when it signs out: its refresh token first, then the access token beside it."""
    if isinstance(token, RefreshToken):
        rows = RefreshToken.objects.filter(token_family=token.token_family)
        AccessToken.objects.filter(refresh_token__in=rows).exclude(pk=token.access_token_id).delete()
        rows.delete()
        UserSession.objects.filter(family=token.token_family).delete()
    else:
        token.delete()


def new_api_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


# Who holds one -----------------------------------------------------------------------------------------------------


class Held(NamedTuple):
    """Whose a bearer token is, its row, and the key for which a robot got it."""

    user: User
    token: AccessToken | ApiToken
    key: RobotKey | None = None

    @property
    def via(self) -> str:
        """What the record says of it; a sign-in of a person goes without saying."""
        if isinstance(self.token, ApiToken):
            return f"token {self.token.name}"
        return f"key {self.key.name}" if self.key else ""


def holder(text: str) -> Held:
    """Return whose the bearer token is; raise ``InvalidAuthToken``."""
    found = _of_api_token(text) if text.startswith(PREFIX) else _of_access_token(text)
    if found is None or found.user is None or not found.user.is_active:
        raise InvalidAuthToken()
    return found


def _of_access_token(text: str) -> Held | None:
    claims, now = claims_of(text), timezone.now()
    rows = AccessToken.objects.select_related("user").filter(token_checksum=digest(str(claims["jti"])), expires__gt=now)
    token = rows.first()
    if token is None or "key" not in claims:
        return token and Held(token.user, token)
    key = RobotKey.objects.filter(guid=claims["key"], robot=token.user, expires_at__gt=now).first()
    return key and Held(token.user, token, key)


def _of_api_token(text: str) -> Held | None:
    rows = ApiToken.objects.select_related("user").filter(digest=digest(text), expires_at__gt=timezone.now())
    token = rows.first()
    return token and Held(token.user, token)


def note_use(row: ApiToken | RobotKey, *, address: str) -> None:
    """Keep when and from where it was used last, to the minute."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - USED_EVERY:
        type(row)._default_manager.filter(pk=row.pk).update(last_used_at=now, last_used_address=address)
