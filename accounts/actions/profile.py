"""One's own account: opening it by invitation, its names, its end."""

from __future__ import annotations

from django.db import transaction

from accounts import audit, mail
from accounts.access import authorize
from accounts.actions.passwords import check
from accounts.actions.people import account_ends, save
from accounts.models import User
from paas.lib.errors import Unprocessable


@transaction.atomic
def register(*, email: str, password: str, given_name: str, family_name: str) -> User:
    """Write the account of somebody who came by an invitation to that address; without a password, by passkey only."""
    person = User(username=email, email=email, given_name=given_name.strip(), family_name=family_name.strip())
    if password:
        check(password, person)
        person.set_password(password)
    else:
        person.set_unusable_password()
    save(person)
    audit.record(person, "audit.user.create", person, origin=person.origin, by="invitation")
    return person


@transaction.atomic
def rename(actor: User, *, given_name: str, family_name: str) -> User:
    """Change the names by which others see one."""
    authorize(actor, "account.update", actor)
    person = User.objects.lock(actor.pk)
    before = {"given_name": person.given_name, "family_name": person.family_name}
    person.given_name, person.family_name = given_name.strip(), family_name.strip()
    save(person)
    after = {"given_name": person.given_name, "family_name": person.family_name}
    audit.record(actor, "audit.user.update", person, before=before, after=after)
    return person


def end(actor: User) -> None:
    """Delete one's own account with its roles, tokens and sessions. The record stays."""
    account_ends(actor, actor)
    admins = User.objects.select_for_update().filter(platform_role=User.PlatformRole.ADMIN, is_active=True)
    people = [admin for admin in admins.order_by("pk") if admin.kind == User.Kind.PERSON]
    person = User.objects.lock(actor.pk)
    if person.kind != User.Kind.PERSON:
        raise Unprocessable("Only people close their accounts. A robot is deleted by those who manage it.")
    if people == [person]:
        raise Unprocessable(
            "You are the last platform admin. Make somebody else platform admin first, then close your account."
        )
    audit.record(actor, "audit.user.close", person)
    if person.email:
        mail.send(
            person.email,
            "account-closed",
            subject="Your account is closed",
            template="mail/account-closed.txt",
            username=person.username,
        )
    person.delete()
