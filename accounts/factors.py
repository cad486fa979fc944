"""Second factors: who has one, who must, and what is recorded and mailed when one comes or goes.

django-allauth keeps them; what requires one is asked of the rules that ``PAAS_SECOND_FACTOR_RULES`` names.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Exists, QuerySet
from django.utils.module_loading import import_string

from accounts import audit, notices, sessions
from accounts.models import Device, User

APP, PASSKEY, CODES = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN, Authenticator.Type.RECOVERY_CODES
SECOND = (APP, PASSKEY)  # recovery codes stand in for one of these, and are none by themselves
WORDS = {APP: "authenticator app", PASSKEY: "passkey", CODES: "recovery codes"}


def of(person: User) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user=person)


def has(person: User) -> bool:
    return of(person).filter(type__in=SECOND).exists()


def held(person: User) -> Exists:
    """The condition of a query that the person has a second factor."""
    return Exists(of(person).filter(type__in=SECOND))


def holders() -> QuerySet[Any]:
    """The keys of everybody who has a second factor, for a query."""
    return Authenticator.objects.filter(type__in=SECOND).values("user")


def may_lack(person: User) -> bool:
    """Whether no rule is about them: only people sign in with something in their hands."""
    return person.kind != User.Kind.PERSON


def required_by(person: User) -> list[str]:
    """Return the names of whatever requires a second factor of the person."""
    if may_lack(person):
        return []
    return [name for path in settings.PAAS_SECOND_FACTOR_RULES for name in import_string(path)(person)]


def due(person: User) -> list[str]:
    """Return the names of whatever requires a second factor that the person does not have."""
    required = required_by(person)
    return [] if required and has(person) else required


def keeps_out(person: Any) -> bool:
    """Whether the platform's own rule keeps the person from everything, at every door."""
    return bool(of_platform_admins(person)) and not (may_lack(person) or has(person))


def of_platform_admins(person: User) -> list[str]:
    """The platform's own rule."""
    required = settings.PAAS_ADMIN_SECOND_FACTOR == "required" and person.platform_role
    return [f"the platform admins of {settings.PAAS_NAME}"] if required else []


# What is recorded and mailed -----------------------------------------------------------------------------------------


def added(person: User, factor: Any, *, here: str) -> int:
    """Record and mail it. With the first one every sign-in but the session ``here`` ends, so that whoever is signed in has
    shown one; return how many did.
    """
    first = not of(person).filter(type__in=SECOND).exclude(pk=factor.pk).exists()
    ended = sessions.end(sessions.of(person).exclude(guid=here)) if first else 0
    audit.record(person, "audit.user.factor-add", person, factor=factor.type, name=_name(factor), ended=ended)
    notices.tell(
        person, "factor-added", subject="Your account has a new way to sign in", factor=_words(factor), ended=ended
    )
    return ended


def take_all(actor: User, person: User) -> list[str]:
    """Take every second factor and sign-in of somebody who lost theirs away; return what there was."""
    gone = [row.type for row in of(person).order_by("pk")]
    of(person).delete()
    Device.objects.filter(user=person).delete()
    sessions.end_everything(person)
    audit.record(actor, "audit.user.factor-reset", person, factors=gone)
    notices.tell(person, "factor-reset", subject="Your second factor was reset")
    return gone


def renamed(person: User, factor: Any, *, before: str) -> None:
    audit.record(
        person,
        "audit.user.factor-update",
        person,
        factor=factor.type,
        before={"name": before},
        after={"name": _name(factor)},
    )


def removed(person: User, factor: Any) -> None:
    words = _words(factor)
    audit.record(person, "audit.user.factor-remove", person, factor=factor.type, name=_name(factor))
    notices.tell(person, "factor-removed", subject="A way to sign in was removed from your account", factor=words)


def codes_made(person: User) -> None:
    audit.record(person, "audit.user.recovery-codes", person)
    notices.tell(person, "recovery-codes", subject="Your account has new recovery codes")


def _name(factor: Any) -> str:
    return str(factor.wrap().name) if factor.type == PASSKEY else ""


def _words(factor: Any) -> str:
    name = _name(factor)
    return f"{WORDS[factor.type]} “{name}”" if name else f"{WORDS[factor.type]}"
