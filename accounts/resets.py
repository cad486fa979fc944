"""New passwords by mail: a wish is written down unseen, a job finds out whose it is and mails the link."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import audit, mail
from accounts.models import PasswordReset, User
from accounts.tokens import digest
from paas.lib.queue import later

HOURS = 1
PAUSE = timedelta(minutes=5)  # between two mails to one person, however often somebody asks in their name


def wish(login: str) -> None:
    """Write the wish down; nothing that is done here depends on whether there is such an account."""
    now = timezone.now()
    row = PasswordReset.objects.create(login=login, due_at=now, expires_at=now + timedelta(hours=HOURS))
    later("accounts.jobs.reset_password", row.pk)


def send_link(person: User) -> str:
    """Mail the person a link, in the caller's transaction; return the digest of its secret."""
    secret = secrets.token_urlsafe(32)
    kept = digest(secret)
    assert person.email is not None
    mail.send(
        person.email,
        "password-reset",
        subject="Set a new password",
        template="mail/password-reset.txt",
        digest=kept,
        person=person,
        link=settings.PAAS_URL + reverse("account_reset_password_from_key", args=[secret]),
        hours=HOURS,
    )
    audit.record(User.objects.system(), "audit.user.password-reset-link", person)
    return kept


def sent_lately(person: User) -> bool:
    return PasswordReset.objects.filter(user=person, created_at__gt=timezone.now() - PAUSE).exists()


def in_force(secret: str) -> PasswordReset | None:
    """Return the wish whose link can still be used; looking at it uses nothing up."""
    rows = PasswordReset.objects.select_related("user")
    return rows.filter(digest=digest(secret), expires_at__gt=timezone.now(), user__is_active=True).first()


def holder(secret: str) -> User | None:
    """Return, locked, the person whose link can still be used: nobody else uses it up before the transaction ends."""
    found = in_force(secret)
    person: User | None = User.objects.lock(found.user_id) if found and found.user_id else None
    return person if in_force(secret) else None  # it may have been used while we waited for the lock
