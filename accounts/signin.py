"""Who somebody is: a password, a one-time link or a passcode becomes a user, or is refused; both are recorded."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import audit
from accounts.models import SignInLink, User
from accounts.tokens import digest
from paas.lib.errors import NotAuthenticated, ServiceUnavailable

ATTEMPTS, ATTEMPT_SECONDS = 5, 300  # refused passwords per account and address, so that nobody locks out another
BURST = 20  # attempts that may be under way at once: as many guesses as one burst is good for
PASSCODE_SECONDS = 300
LINK_HOURS = 24


class Refused(NotAuthenticated):
    default = "The username or the password is not right."


class Locked(Refused):
    default = "Your account has been locked because of too many failed attempts to login."  # a sentence that cf knows


def by_password(login: str, password: str, *, address: str, door: str) -> User:
    """Return the person with that username or e-mail address and password; raise ``Refused`` or ``Locked``."""
    person = person_named(login)
    key = f"{person.guid if person else login.lower()} {address}"
    _begin(key)
    if person is None:
        make_password(password)  # so that a name that is nobody's takes as long as a wrong password
    right = person is not None and person.check_password(password) and person.is_active
    _end(key, right=right)
    if person is None or not right:
        if person:
            audit.record(User.objects.system(), "audit.user.sign-in-refused", person, address=address, door=door)
        raise Refused()
    return _let_in(person, address=address, door=door, how="password")


def confirm(person: User, password: str) -> bool:
    """Return whether it is the password of somebody who is signed in; raise ``Locked`` where it is being guessed."""
    key = f"{person.guid} confirm"
    _begin(key)
    right = person.check_password(password)
    _end(key, right=right)
    return right


def checked(client_id: str, right: bool, *, address: str) -> bool:
    """Return whether a client's secret was right; raise ``Locked`` where it is being guessed."""
    key = f"client {client_id} {address}"
    _begin(key)
    _end(key, right=right)
    return right


def person_named(login: str) -> User | None:
    """Return whom a username or, failing that, an e-mail address names among those who sign in with a password."""
    if not login.strip() or "\0" in login:
        return None
    people = User.objects.filter(kind=User.Kind.PERSON, origin="uaa")
    return people.filter(username__iexact=login.strip()).first() or people.filter(email__iexact=login.strip()).first()


def _let_in(person: User, *, address: str, door: str, how: str) -> User:
    audit.record(person, "audit.user.sign-in", person, address=address, door=door, how=how)
    return person


# Passcodes: from a browser that is signed in to a command line that is not -----------------------------------------


def new_passcode(person: User) -> str:
    """Return a code that signs the person in once, within five minutes."""
    code = secrets.token_urlsafe(24)
    with _redis():
        cache.set(f"passcode:{digest(code)}", person.guid, PASSCODE_SECONDS)
    return code


def by_passcode(code: str, *, address: str, door: str) -> User:
    """Return the person who got the code; it is good for nothing afterwards."""
    key = f"passcode:{digest(code.strip())}"
    with _redis():
        guid = cache.get(key)
        taken = guid is not None and cache.delete(key)
    person = User.objects.filter(guid=guid, is_active=True).first() if taken else None
    if person is None:
        raise Refused("The passcode is not right, was used already, or is older than five minutes. Get a new one.")
    return _let_in(person, address=address, door=door, how="passcode")


# Links -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def new_link(person: User) -> str:
    """Return the secret of a link that signs the person in once within a day; the ones before it go out of force."""
    secret = secrets.token_urlsafe(32)
    SignInLink.objects.filter(user=person).delete()
    SignInLink.objects.create(
        user=person, digest=digest(secret), expires_at=timezone.now() + timedelta(hours=LINK_HOURS)
    )
    audit.record(User.objects.system(), "audit.user.sign-in-link", person)
    return secret


def link_of(secret: str) -> SignInLink | None:
    """Return the link if it can still be used; looking at it uses nothing up."""
    rows = SignInLink.objects.select_related("user").filter(expires_at__gt=timezone.now(), user__is_active=True)
    return rows.filter(digest=digest(secret)).first()


@transaction.atomic
def by_link(secret: str, *, address: str) -> User:
    """Return the link's person and use the link up; a password that there was is not good any more."""
    rows = SignInLink.objects.select_for_update().filter(digest=digest(secret), expires_at__gt=timezone.now())
    link = rows.select_related("user").filter(user__is_active=True).first()
    if link is None:
        raise Refused("The link was used already, or is older than a day.")
    person = link.user
    link.delete()
    person.set_unusable_password()
    person.save(update_fields=["password", "updated_at"])
    return _let_in(person, address=address, door="console", how="link")


# Counting refused attempts -----------------------------------------------------------------------------------------


@contextmanager
def _redis() -> Iterator[None]:
    """Without the count nobody is let in by guessing; who is signed in already does not notice."""
    try:
        yield
    except RedisError as error:
        raise ServiceUnavailable(
            "Nobody can sign in right now, because Redis does not answer. Who is signed in goes on; try again in a minute."
        ) from error


def _key(who: str) -> str:
    return f"signin:{digest(who)}"


def _begin(who: str) -> None:
    """Count an attempt before it is looked at; raise ``Locked`` where there were too many."""
    with _redis():
        refused, begun = int(cache.get(_key(who), 0)), _count(_begun(who))
    if refused >= ATTEMPTS or begun > BURST:
        raise Locked()


def _end(who: str, *, right: bool) -> None:
    with _redis():
        if right:
            cache.delete_many([_key(who), _begun(who)])
        else:
            _count(_key(who))


def _begun(who: str) -> str:
    return f"{_key(who)}:begun"


def _count(key: str) -> int:
    cache.add(key, 0, ATTEMPT_SECONDS)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        cache.set(key, 1, ATTEMPT_SECONDS)
        return 1
