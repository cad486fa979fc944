"""Making, describing and removing people and robots, setting passwords, making and revoking tokens."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from accounts import audit, signin, tokens
from accounts.access import authorize
from accounts.models import SYSTEM_USERNAME, ApiToken, Job, SignInLink, User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged, sentences

CF, FIRST_ADMIN = "cf", "admin"
TOKEN_DAYS, MOST_TOKEN_DAYS = 90, 366
NAME = re.compile(r"[^\x00-\x1f\x7f,]{1,255}")
CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class UsernameTaken(Unprocessable):
    """Somebody has the username, or the e-mail address, already."""


class WrongPassword(Unprocessable):
    """The password that was to be replaced is another."""


# What an install starts with ---------------------------------------------------------------------------------------


def ensure_system_user() -> User:
    """Return the actor of what nobody asked for; made at the first start."""
    names = {"username": SYSTEM_USERNAME, "origin": "system"}
    return User.objects.get_or_create(**names, defaults={"kind": User.Kind.SYSTEM, "password": "!"})[0]


def ensure_oauth_client() -> Application:
    """Return the client that every ``cf`` is: known to all, without a secret. The system user comes with it."""
    ensure_system_user()
    fields = {
        "name": "The command line",
        "client_type": Application.CLIENT_PUBLIC,
        "authorization_grant_type": Application.GRANT_PASSWORD,
        "client_secret": "",
        "hash_client_secret": False,
    }
    return Application.objects.get_or_create(client_id=CF, defaults=fields)[0]


@transaction.atomic
def first_admin() -> User:
    """Return the platform admin who came first; where there is none, make one whom only a sign-in link lets in."""
    admins = User.objects.filter(platform_role=User.PlatformRole.ADMIN, kind=User.Kind.PERSON, is_active=True)
    found = admins.order_by("created_at", "id").first()
    if found is None:
        found = User(username=FIRST_ADMIN, platform_role=User.PlatformRole.ADMIN)
        found.set_unusable_password()
        found.save()
        audit.record(ensure_system_user(), "audit.user.create", found, platform_role=found.platform_role)
    return found


# People and robots -------------------------------------------------------------------------------------------------


@transaction.atomic
def create_user(
    actor: User,
    *,
    username: str,
    password: str = "",
    email: str = "",
    given_name: str = "",
    family_name: str = "",
    origin: str = "uaa",
) -> User:
    """Write a person. Who signs in elsewhere (another ``origin``) has no password here."""
    authorize(actor, "account.manage")
    username = username.strip()
    if not NAME.fullmatch(username):
        raise Unprocessable("A username has 1 to 255 characters, and none of them is a comma or a control character.")
    if origin == User.objects.system().origin:
        raise Unprocessable(f"The origin '{origin}' is the platform's own.")
    user = User(username=username, origin=origin, email=_address(email))
    user.given_name, user.family_name = given_name, family_name
    if origin != "uaa":
        user.set_unusable_password()
    else:
        _check(password, user)
        user.set_password(password)
    _save(user)
    audit.record(actor, "audit.user.create", user, origin=origin)
    return user


@transaction.atomic
def create_robot(actor: User, *, client_id: str, secret: str) -> User:
    """Write a robot: a user that gets its tokens for a client id, which is its guid too, and a secret."""
    authorize(actor, "account.manage")
    if not CLIENT_ID.fullmatch(client_id):
        raise Unprocessable("A client id has 1 to 64 letters, digits, dots, dashes or underscores.")
    if len(secret) < 12:
        raise Unprocessable("A client's secret has at least 12 characters.")
    if Application.objects.filter(client_id=client_id).exists() or User.objects.filter(guid=client_id).exists():
        raise UsernameTaken(f"Client already exists: {client_id}")
    robot = User(guid=client_id, username=client_id, kind=User.Kind.ROBOT)
    robot.set_unusable_password()
    _save(robot)
    Application.objects.create(
        user=robot,
        client_id=client_id,
        client_secret=secret,
        name=client_id,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    audit.record(actor, "audit.user.create", robot, kind=robot.kind)
    return robot


@transaction.atomic
def describe_user(actor: User, user: User, *, metadata: dict[str, Any]) -> User:
    """Change the labels and annotations of an account."""
    authorize(actor, "account.manage")
    user = User.objects.lock(user.pk)
    for name, value in merged(user, metadata).items():
        setattr(user, name, value)
    user.save(update_fields=["labels", "annotations", "updated_at"])
    audit.record(actor, "audit.user.update", user, metadata=metadata)
    return user


@transaction.atomic
def delete_user(actor: User, user: User) -> Job:
    """Remove the account with its roles and tokens; one platform admin is always left."""
    authorize(actor, "account.manage")
    admins = User.objects.select_for_update().filter(platform_role=User.PlatformRole.ADMIN, is_active=True)
    others = [admin for admin in admins.order_by("pk") if admin.pk != user.pk and admin.kind == User.Kind.PERSON]
    if user.kind == User.Kind.SYSTEM:
        raise Unprocessable("The system's own account cannot be deleted.")
    if user == actor:
        raise Unprocessable("Nobody can delete their own account. Ask another platform admin.")
    if user.is_admin and not others:
        raise Unprocessable(f"'{user.username}' is the last platform admin. Make somebody else platform admin first.")
    audit.record(actor, "audit.user.delete", user)
    guid = user.guid
    user.delete()
    return Job.objects.create(owner=actor, operation="user.delete", state=Job.State.COMPLETE, resource_guid=guid)


@transaction.atomic
def set_password(actor: User, user: User, *, password: str, old: str = "") -> None:
    """Set a password; one's own only with the one before it, if there is one. Every sign-in but API tokens ends."""
    authorize(actor, "account.password", user)
    user = User.objects.lock(user.pk)
    if user.kind != User.Kind.PERSON or user.origin != "uaa":
        raise Unprocessable(f"'{user.username}' does not sign in with a password.")
    if actor == user and user.has_usable_password() and not signin.confirm(user, old):
        raise WrongPassword("The old password is not right.")
    _check(password, user)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    tokens.forget(user)
    SignInLink.objects.filter(user=user).delete()
    audit.record(actor, "audit.user.password", user)


# Tokens ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_api_token(
    actor: User, *, name: str, expires_at: datetime | None = None, scope: str = ""
) -> tuple[ApiToken, str]:
    """Make a token for a script of one's own; return it and its text, which is shown this once."""
    authorize(actor, "account.token.create", actor)
    now = timezone.now()
    expires_at = expires_at or now + timedelta(days=TOKEN_DAYS)
    if not now < expires_at <= now + timedelta(days=MOST_TOKEN_DAYS):
        raise Unprocessable(f"A token ends in the future, and within {MOST_TOKEN_DAYS} days.")
    if unknown := set(scope.split()) - set(tokens.SCOPES):
        raise Unprocessable(f"There is no scope '{unknown.pop()}'; there are: {', '.join(tokens.SCOPES)}.")
    text = tokens.new_api_token()
    token = ApiToken(user=actor, name=name, digest=tokens.digest(text), expires_at=expires_at)
    token.scope = scope or " ".join(tokens.SCOPES)
    try:
        with transaction.atomic():
            token.save()
    except IntegrityError as error:
        raise Unprocessable(f"You have a token called '{name}' already. Choose another name.") from error
    audit.record(actor, "audit.access_token.create", token, expires_at=expires_at.isoformat(), scope=token.scope)
    return token, text


@transaction.atomic
def revoke_api_token(actor: User, token: ApiToken) -> None:
    """Take the token back; whatever uses it is refused from now on."""
    authorize(actor, "account.token.revoke", token.user)
    audit.record(actor, "audit.access_token.delete", token, owner=token.user.username)
    token.delete()


@transaction.atomic
def revoke_token(actor: User, token: AccessToken | RefreshToken) -> None:
    """Take back one access or refresh token of a sign-in."""
    authorize(actor, "account.token.revoke", token.user)
    audit.record(actor, "audit.user.token-revoked", token.user)
    token.delete()


def create_passcode(actor: User) -> str:
    """Return a code with which the person signs in on a command line, once, within five minutes."""
    authorize(actor, "account.token.create", actor)
    return signin.new_passcode(actor)


# What they share ---------------------------------------------------------------------------------------------------


def _address(email: str) -> str | None:
    """Return the address; clients send the username where they know none."""
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email.strip().lower()


def _check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Unprocessable(*error.messages) from error


def _save(user: User) -> None:
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise Unprocessable(*sentences(error.message_dict)) from error
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if "user_email" in str(error):
            raise UsernameTaken(f"Somebody has the e-mail address '{user.email}' already.") from error
        raise UsernameTaken(
            f"User with username '{user.username}' and origin '{user.origin}' already exists."
        ) from error
