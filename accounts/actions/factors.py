"""Helping somebody who has lost every second factor."""

from __future__ import annotations

from django.db import transaction

from accounts import factors
from accounts.access import authorize
from accounts.models import User
from paas.lib.errors import Unprocessable


@transaction.atomic
def reset_factors(actor: User, person: User) -> None:
    """Take every second factor and sign-in of the person away; with their password they get in, and add a new one."""
    authorize(actor, "account.factor.reset")
    person = User.objects.lock(person.pk)
    if actor == person:
        raise Unprocessable("Nobody can reset their own second factor. Ask another platform admin.")
    if not factors.has(person):
        raise Unprocessable(f"'{person.username}' has no second factor.")
    factors.take_all(actor, person)
