"""Tells people by mail what was done to their account, so that they notice what they did not do."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts import mail, origin
from accounts.models import User


def tell(person: User, kind: str, *, subject: str, **context: Any) -> None:
    """Write the mail ``mail/<kind>.txt`` to the person, in the caller's transaction; who has no address gets none."""
    if person.email:
        known = {"person": person, "at": timezone.now(), "address": origin.current().address or "unknown"}
        mail.send(person.email, kind, subject=subject, template=f"mail/{kind}.txt", **known, **context)
