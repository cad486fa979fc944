"""Ending sign-ins that go on."""

from __future__ import annotations

from django.db import transaction

from accounts import audit, sessions
from accounts.access import authorize
from accounts.models import User, UserSession


@transaction.atomic
def end_session(actor: User, session: UserSession) -> None:
    """End one sign-in: its browser or command line is signed out from now on."""
    authorize(actor, "account.session.end", session.user)
    person = session.user
    if sessions.end(UserSession.objects.filter(pk=session.pk)):
        audit.record(actor, "audit.user.session-end", person, client=session.client, from_address=session.address)


@transaction.atomic
def end_sessions(actor: User, person: User, *, but: str = "") -> int:
    """End every sign-in of the person but one of a browser; return how many there were. API tokens stay."""
    authorize(actor, "account.session.end", person)
    ended = sessions.end(UserSession.objects.filter(user=person).exclude(guid=but))
    audit.record(actor, "audit.user.sessions-end", person, ended=ended)
    return ended
