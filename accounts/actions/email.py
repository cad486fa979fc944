"""Changing one's e-mail address: it takes effect when both addresses have confirmed it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, mail
from accounts.access import authorize
from accounts.actions.people import save
from accounts.models import EmailChange, PasswordReset, SignInLink, User
from accounts.tokens import digest
from paas.lib.errors import NotFound, RateLimited, Unprocessable

HOURS = 24
PAUSE = timedelta(minutes=1)  # from one wish to the next, since each sends two messages
GONE = "The link was used already, was replaced by a newer one, or is older than a day. Ask for the change again."


@transaction.atomic
def begin_email_change(actor: User, *, email: str) -> EmailChange:
    """Send a link to the address that is and one to that which is to be; who has no address yet confirms the new one."""
    authorize(actor, "account.update", actor)
    person, now = User.objects.lock(actor.pk), timezone.now()
    email = _checked(person, email)
    if EmailChange.objects.filter(user=person, created_at__gt=now - PAUSE).exists():
        raise RateLimited("You have just asked for a change. Wait a minute, then ask again.")
    _forget(person)
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    change = EmailChange.objects.create(
        user=person,
        email=email,
        old_digest=digest(old),
        new_digest=digest(new),
        old_confirmed_at=None if person.email else now,
        expires_at=now + timedelta(hours=HOURS),
    )
    if person.email:
        _ask(person.email, "email-change-old", old, username=person.username, new=email)
    _ask(email, "email-change-new", new, username=person.username, old=person.email)
    audit.record(actor, "audit.user.email-change-request", person, email=email)
    return change


@transaction.atomic
def cancel_email_change(actor: User) -> None:
    """Forget a change that was asked for."""
    authorize(actor, "account.update", actor)
    if _forget(actor):
        audit.record(actor, "audit.user.email-change-cancel", actor)


def change_of(secret: str) -> EmailChange | None:
    """Return the change that the link confirms; looking at it confirms nothing."""
    found = digest(secret)
    rows = EmailChange.objects.filter(Q(old_digest=found) | Q(new_digest=found), expires_at__gt=timezone.now())
    return rows.select_related("user").first()


@transaction.atomic
def confirm_email(secret: str) -> EmailChange:
    """Confirm for the address that the link went to; with the second of them the change takes effect."""
    found = change_of(secret)
    if found is None:
        raise NotFound(GONE)
    person = User.objects.lock(found.user_id)
    change = EmailChange.objects.filter(pk=found.pk).select_for_update().first()
    if change is None:
        raise NotFound(GONE)
    change.user = person
    column = "old_confirmed_at" if change.old_digest == digest(secret) else "new_confirmed_at"
    setattr(change, column, timezone.now())
    change.save(update_fields=[column])
    mail.spent(digest(secret))
    if is_confirmed(change):
        _take_effect(change)
    return change


def is_confirmed(change: EmailChange) -> bool:
    return change.old_confirmed_at is not None and change.new_confirmed_at is not None


def _take_effect(change: EmailChange) -> None:
    """A username that was the old address follows; links that went there are good for nothing any more."""
    person, before = change.user, change.user.email
    names = {"username": person.username, "new": change.email}
    if before and person.username.lower() == before.lower():
        person.username = change.email
    person.email = change.email
    save(person)
    SignInLink.objects.filter(user=person).delete()
    PasswordReset.objects.filter(user=person).delete()
    change.delete()
    audit.record(person, "audit.user.email-change", person, before={"email": before}, after={"email": person.email})
    if before:
        mail.send(before, "email-changed", subject="Your e-mail address was changed",
                  template="mail/email-changed.txt", **names)  # fmt: skip


def _checked(person: User, email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Unprocessable(f"“{email[:100]}” is not an e-mail address.") from error
    if person.kind != User.Kind.PERSON or person.origin != "uaa":
        raise Unprocessable("The e-mail address of this account is kept where it signs in. Change it there.")
    if not mail.among(email, settings.PAAS_MAIL_DOMAINS):
        raise Unprocessable(f"This platform takes only addresses at: {', '.join(settings.PAAS_MAIL_DOMAINS)}.")
    if email == (person.email or "").lower():
        raise Unprocessable("That is your e-mail address already.")
    return email


def _ask(to: str, kind: str, secret: str, **context: str | None) -> None:
    link = f"{settings.PAAS_URL}/accounts/email/{secret}"
    mail.send(
        to, kind, subject="Confirm your e-mail address", template=f"mail/{kind}.txt", digest=digest(secret),
        link=link, **context,
    )  # fmt: skip


def _forget(person: User) -> bool:
    change = EmailChange.objects.filter(user=person).select_for_update().first()
    if change is None:
        return False
    for each in (change.old_digest, change.new_digest):
        mail.spent(each)
    change.delete()
    return True
