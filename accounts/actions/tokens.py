"""Making and revoking tokens, and codes for the command line."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from accounts import audit, notices, signin, tokens
from accounts.access import authorize
from accounts.models import ApiToken, User
from paas.lib.errors import Unprocessable

TOKEN_DAYS = 90
TOLD = ("name", "scope", "verbs", "expires_at")


@transaction.atomic
def create_api_token(
    actor: User,
    *,
    name: str,
    expires_at: datetime | None = None,
    scope: str = "",
    verbs: Collection[str] | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for a script of one's own; return it and its text, which is shown this once.

    ``verbs`` are the named permissions that it is narrowed to; the floor above knows which there are.
    """
    authorize(actor, "account.token.create", actor)
    expires_at = end_of("A token", expires_at)
    if unknown := set(scope.split()) - set(tokens.SCOPES):
        raise Unprocessable(f"There is no scope '{unknown.pop()}'; there are: {', '.join(tokens.SCOPES)}.")
    text = tokens.new_api_token()
    token = ApiToken(user=actor, name=name, digest=tokens.digest(text), expires_at=expires_at)
    token.scope = scope or " ".join(tokens.SCOPES)
    token.verbs = None if verbs is None else sorted(verbs)
    try:
        with transaction.atomic():
            token.save()
    except IntegrityError as error:
        raise Unprocessable(f"You have a token called '{name}' already. Choose another name.") from error
    audit.record(actor, "audit.access_token.create", token, after=audit.state(token, TOLD))
    notices.tell(actor, "token-created", subject="Your account has a new API token", token=token)
    return token, text


def end_of(what: str, expires_at: datetime | None) -> datetime:
    """Return when a new token or key ends; raise ``Unprocessable`` where that was, or is too far away."""
    now = timezone.now()
    expires_at = expires_at or now + timedelta(days=min(TOKEN_DAYS, settings.PAAS_TOKEN_DAYS))
    if not now < expires_at <= now + timedelta(days=settings.PAAS_TOKEN_DAYS):
        raise Unprocessable(f"{what} ends in the future, and within {settings.PAAS_TOKEN_DAYS} days.")
    return expires_at


@transaction.atomic
def revoke_api_token(actor: User, token: ApiToken) -> None:
    """Take the token back; whatever uses it is refused from now on."""
    authorize(actor, "account.token.revoke", token.user)
    audit.record(actor, "audit.access_token.delete", token, owner=token.user.username, before=audit.state(token, TOLD))
    token.delete()


@transaction.atomic
def revoke_token(actor: User, token: AccessToken | RefreshToken) -> None:
    """Take back one access or refresh token of a sign-in."""
    authorize(actor, "account.token.revoke", token.user)
    audit.record(actor, "audit.user.token-revoked", token.user)
    tokens.sign_out(token)


@transaction.atomic
def create_passcode(actor: User) -> str:
    """Return a code with which the person signs in on a command line, once, within five minutes."""
    authorize(actor, "account.token.create", actor)
    audit.record(actor, "audit.user.passcode", actor)
    return signin.new_passcode(actor)
