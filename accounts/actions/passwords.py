"""Setting passwords, by who is signed in and by a link that was mailed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, mail, notices, resets, sessions, signin, tokens
from accounts.access import authorize
from accounts.models import PasswordReset, SignInLink, User
from paas.lib.errors import NotFound, Unprocessable


class WrongPassword(Unprocessable):
    """The password that was to be replaced is another."""


@transaction.atomic
def set_password(actor: User, user: User, *, password: str, old: str = "") -> None:
    """Set a password; one's own only with the one before it, if there is one. Every sign-in but API tokens ends."""
    authorize(actor, "account.password", user)
    user = User.objects.lock(user.pk)
    if user.kind != User.Kind.PERSON or user.origin != "uaa":
        raise Unprocessable(f"'{user.username}' does not sign in with a password.")
    if actor == user and user.has_usable_password() and not signin.confirm(user, old):
        raise WrongPassword("The old password is not right.")
    _set(actor, user, password)


@transaction.atomic
def reset_password(secret: str, *, password: str) -> User:
    """Set a password with the secret of a link that was mailed, and use the link up; nobody is signed in by it."""
    person = resets.holder(secret)
    if person is None:
        raise NotFound("The link was used already, or is older than an hour. Ask for another.")
    _set(person, person, password, how="mail")
    mail.spent(tokens.digest(secret))
    return person


def _set(actor: User, user: User, password: str, **data: Any) -> None:
    check(password, user)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    sessions.end_everything(user)
    SignInLink.objects.filter(user=user).delete()
    PasswordReset.objects.filter(user=user).delete()
    audit.record(actor, "audit.user.password", user, **data)
    notices.tell(user, "password-changed", subject="Your password was changed", by_self=actor == user)


def check(password: str, user: User) -> None:
    """Raise ``Unprocessable`` with all that speaks against the password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Unprocessable(*error.messages) from error
