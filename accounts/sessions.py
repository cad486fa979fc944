"""Sign-ins that go on, of browsers and of command lines: where they are, when they were seen, and how they end.

The row is what counts: a browser's session whose row is gone is over with its next request, and ending a command
line's takes back its tokens.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import logout
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import tokens
from accounts.models import User, UserSession
from accounts.origin import address_of

KEY = "signed_in"  # what a browser's session calls the guid of its row
SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use is kept
BROWSER, COMMAND_LINE = UserSession.Client.BROWSER, UserSession.Client.COMMAND_LINE


def of(person: User) -> QuerySet[UserSession]:
    """The person's sessions that are in force, the one that was used last first."""
    return UserSession.objects.filter(user=person, expires_at__gt=timezone.now()).order_by("-seen_at", "-id")


def begin(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """Write the row of a browser's session; Django tells us of every sign-in. What ran out is cleared away."""
    before = Q(expires_at__lt=timezone.now()) | Q(guid=request.session.get(KEY, ""))
    UserSession.objects.filter(before, user=user).delete()
    row = UserSession.objects.create(user=user, client=BROWSER, **_seen(request))
    request.session[KEY] = row.guid


def begin_command_line(user: User, family: uuid.UUID, *, address: str, agent: str) -> None:
    """Write, or go on with, the row of a command line's sign-in."""
    now = timezone.now()
    seen = {"address": address, "agent": agent, "seen_at": now}
    seen["expires_at"] = now + timedelta(seconds=tokens.REFRESH_SECONDS)
    first = {"user": user, "client": COMMAND_LINE}
    UserSession.objects.update_or_create(family=family, defaults=seen, create_defaults=first | seen)


def end(rows: QuerySet[UserSession]) -> int:
    """End the sessions; return how many there were."""
    families = [family for family in rows.values_list("family", flat=True) if family]
    tokens.forget_families(families)
    return rows.delete()[1].get("accounts.UserSession", 0)


def end_everything(person: User) -> None:
    """End every session and take back every token that the person signed in for; API tokens stay."""
    end(UserSession.objects.filter(user=person))
    tokens.forget(person)


def _seen(request: HttpRequest) -> dict[str, Any]:
    return {
        "agent": request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:255],
        "address": address_of(request),
        "seen_at": timezone.now(),
        "expires_at": request.session.get_expiry_date(),
    }


class SessionsMiddleware:
    """Signs a browser out whose session has been ended elsewhere, and notes when the others were seen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            row = UserSession.objects.filter(guid=request.session.get(KEY, ""), user=request.user.pk).first()
            if row is None:
                logout(request)
            elif row.seen_at < timezone.now() - SEEN_EVERY:
                UserSession.objects.filter(pk=row.pk).update(**_seen(request))
        return self.get_response(request)
