"""Who somebody is: a password, a one-time link or a passcode becomes a user, or is refused; both are recorded."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, Q, When
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import audit, factors, notices, origin
from accounts.models import Device, SignInLink, User
from accounts.tokens import digest
from paas.lib.errors import NotAuthenticated, ServiceUnavailable

ATTEMPTS, ATTEMPT_SECONDS = 5, 300  # refused passwords per account and address, so that nobody locks out another
BURST = 20  # attempts that may be under way at once: as many guesses as one burst is good for
ASKS = 100  # requests for a new password from one address in the same time
PASSCODE_SECONDS = 300
LINK_HOURS = 24
DEVICE_KEPT = timedelta(days=400)  # since it was seen last
CODE_ATTEMPTS, CODE_SECONDS = (
    100,
    3600,
)  # codes typed for one account from devices that it has never used, wherever they are
CODE_LIFE = 120  # seconds for which a code could be right, with the tolerance for clocks that go wrong


class Refused(NotAuthenticated):
    default = "The username or the password is not right."


class Locked(Refused):
    default = "Your account has been locked because of too many failed attempts to login."  # a sentence that cf knows


def by_password(login: str, password: str, *, address: str, door: str) -> User:
    """Return the person with that username or e-mail address and password; raise ``Refused`` or ``Locked``.

    They are not in yet: a second factor may be asked for before ``let_in``.
    """
    person = person_named(login)
    key = f"{person.guid if person else login.lower()} {address}"
    _begin(key)
    if person is None:
        make_password(password)  # so that a name that is nobody's takes as long as a wrong password
    right = person is not None and person.check_password(password) and person.is_active
    _end(key, right=right)
    if person is None or not right:
        _note_refusal(person, address=address, door=door)
        raise Refused()
    return person


def _note_refusal(person: User | None, *, address: str, door: str, **data: Any) -> None:
    """Record it for a name that is nobody's too, without the name: that takes as long, and may be a password."""
    target = person or User(username="")
    audit.record(
        User.objects.system(), "audit.user.sign-in-refused", target, **{"address": address, "door": door, **data}
    )


def confirm(person: User, password: str) -> bool:
    """Return whether it is the password of somebody who is signed in; raise ``Locked`` where it is being guessed."""
    key = f"{person.guid} confirm {origin.current().address}"
    _begin(key)
    right = person.check_password(password)
    _end(key, right=right)
    return right


@contextmanager
def guessing(person: User, *, address: str, device: str, what: str) -> Iterator[None]:
    """Count an attempt at a second factor; raise ``Locked`` where there were too many.

    Whoever gets here knows the password. A device that the person has used before is counted by itself, any other by
    its address and together with all the others: so neither a thousand addresses are as many guesses, nor is the
    person held up by them.
    """
    known = knows(person, device)
    own = f"{person.guid} {what} {digest(device) if known else address}"
    shared = f"{_key(person.guid)}:{what}"
    _begin(own)
    with _redis():
        if not known and int(cache.get(shared, 0)) >= CODE_ATTEMPTS:
            raise Locked()
    try:
        yield
    except ValidationError:
        _end(own, right=False)
        with _redis():
            _count(shared, CODE_SECONDS)
        _note_refusal(person, address=address, door="console", how=what)
        raise
    _end(own, right=True)


def first_use(person: User, code: str) -> bool:
    """Whether the code of an authenticator app has not been used before, for as long as it would be right."""
    with _redis():
        return bool(cache.add(f"code:{digest(f'{person.guid} {code}')}", "used", CODE_LIFE))


def ask(address: str) -> None:
    """Count a request for a new password; raise ``Locked`` where one address asks for too many."""
    with _redis():
        if _count(f"{_key(address)}:ask") > ASKS:
            raise Locked()


def checked(client_id: str, right: bool, *, address: str) -> bool:
    """Return whether a client's secret was right; raise ``Locked`` where it is being guessed."""
    key = f"client {client_id} {address}"
    _begin(key)
    _end(key, right=right)
    return right


def person_named(login: str) -> User | None:
    """Return whom a username or, failing that, an e-mail address names among those who sign in with a password."""
    name = login.strip()
    if not name or "\0" in name:
        return None
    people = User.objects.filter(kind=User.Kind.PERSON, origin="uaa")
    by_name = Case(When(username__iexact=name, then=0), default=1)
    found: User | None = people.filter(Q(username__iexact=name) | Q(email__iexact=name)).order_by(by_name).first()
    return found


@transaction.atomic
def let_in(person: User, *, address: str, door: str, how: str, device: str, words: str) -> None:
    """Record that the person is in, and tell them if the device is new: a browser's cookie, a command line's address."""
    audit.record(person, "audit.user.sign-in", person, address=address, door=door, how=how)
    now = timezone.now()
    Device.objects.filter(user=person, seen_at__lt=now - DEVICE_KEPT).delete()
    row, is_new = Device.objects.get_or_create(user=person, digest=digest(device))
    if not is_new:
        Device.objects.filter(pk=row.pk).update(seen_at=now)
    elif person.devices.count() > 1:
        notices.tell(person, "new-device", subject="Your account was used from a new device", device=words)


def knows(person: User, device: str) -> bool:
    """Whether the person has signed in with that device before."""
    return bool(device) and Device.objects.filter(user=person, digest=digest(device)).exists()


# Passcodes: from a browser that is signed in to a command line that is not -----------------------------------------


def new_passcode(person: User) -> str:
    """Return a code that signs the person in once, within five minutes."""
    code = secrets.token_urlsafe(24)
    with _redis():
        cache.set(f"passcode:{digest(code)}", [person.guid, _standing(person)], PASSCODE_SECONDS)
    return code


def by_passcode(code: str, *, address: str, door: str) -> User:
    """Return the person who got the code; it is good for nothing afterwards, nor once their password has changed, or
    whether they have a second factor.
    """
    key = f"passcode:{digest(code.strip())}"
    with _redis():
        guid, standing = cache.get(key) or (None, "")
        taken = guid is not None and cache.delete(key)
    person = User.objects.filter(guid=guid, is_active=True).first() if taken else None
    if person is None or standing != _standing(person):
        _note_refusal(person, address=address, door=door, how="passcode")
        raise Refused("The passcode is not right, was used already, or is older than five minutes. Get a new one.")
    return person


def _standing(person: User) -> str:
    """What a code that was given out stands on; it changes with whatever ends the person's sign-ins."""
    return digest(f"{person.get_session_auth_hash()} {factors.has(person)}")


# Links -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def new_link(person: User) -> str:
    """Return the secret of a link that signs the person in once within a day; the ones before it go out of force."""
    secret = secrets.token_urlsafe(32)
    User.objects.lock(person.pk)
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
def by_link(secret: str) -> User:
    """Return the link's person and use the link up; a password that there was is not good any more."""
    found = link_of(secret)
    person: User | None = User.objects.lock(found.user_id) if found else None
    link = link_of(secret)  # again: it may have been used while we waited for the lock
    if person is None or link is None:
        raise Refused("The link was used already, or is older than a day.")
    link.delete()
    person.set_unusable_password()
    person.save(update_fields=["password", "updated_at"])
    audit.record(person, "audit.user.sign-in-link-used", person)
    return person


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


def _count(key: str, seconds: int = ATTEMPT_SECONDS) -> int:
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        cache.set(key, 1, seconds)
        return 1
