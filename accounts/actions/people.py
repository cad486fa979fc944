"""Making, describing and removing people."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from accounts import audit
from accounts.access import authorize
from accounts.actions.passwords import check
from accounts.actions.platform_role import admin_stays
from accounts.models import Job, User
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged, sentences

NAME = re.compile(r"[^\x00-\x1f\x7f,]{1,255}")
TOLD = ("username", "origin", "email", "given_name", "family_name", "platform_role")


class UsernameTaken(Unprocessable):
    """Somebody has the username, or the e-mail address, already."""


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
        check(password, user)
        user.set_password(password)
    save(user)
    audit.record(actor, "audit.user.create", user, after=audit.state(user, TOLD))
    return user


@transaction.atomic
def describe_user(actor: User, user: User, *, metadata: dict[str, Any]) -> User:
    """Change the labels and annotations of an account."""
    authorize(actor, "account.manage")
    user = User.objects.lock(user.pk)
    before = audit.state(user)
    for name, value in merged(user, metadata).items():
        setattr(user, name, value)
    user.save(update_fields=["labels", "annotations", "updated_at"])
    audit.record(actor, "audit.user.update", user, before=before, after=audit.state(user))
    return user


@transaction.atomic
def delete_user(actor: User, user: User) -> Job:
    """Remove the account with its roles and tokens; one platform admin is always left."""
    authorize(actor, "account.manage")
    if user.kind == User.Kind.SYSTEM:
        raise Unprocessable("The system's own account cannot be deleted.")
    if user == actor:
        raise Unprocessable("Nobody can delete their own account. Ask another platform admin.")
    account_ends(actor, user)
    admin_stays(user)
    audit.record(actor, "audit.user.delete", user, before=audit.state(user, TOLD))
    guid = user.guid
    user.delete()
    return Job.objects.create(owner=actor, operation="user.delete", state=Job.State.COMPLETE, resource_guid=guid)


def account_ends(actor: User, user: User) -> None:
    """Let those who keep more about the account than we do settle it, in the transaction that deletes it."""
    for path in settings.PAAS_ACCOUNT_ENDS:
        import_string(path)(actor, user)


def _address(email: str) -> str | None:
    """Return the address; clients send the username where they know none."""
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email.strip().lower()


def save(user: User) -> None:
    """Write an account's row; raise ``Unprocessable`` where a field is wrong, ``UsernameTaken`` where a name is."""
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
