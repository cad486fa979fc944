"""What requests of every kind go through: they are locked, are still open or not, and end once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from paas.lib.errors import Unprocessable
from tenants.actions import role as roles
from tenants.models import Decision


def locked(request: Decision, *joined: str) -> Any:
    """Return the request as it is now, with what is joined; nobody else decides about it meanwhile."""
    roles.lock(request.place)
    common = ("organization", "space__organization", "decided_by")
    return type(request).objects.select_related(*common, *joined).lock(request.pk)


def still_open(request: Decision) -> None:
    """Raise ``Unprocessable``, which says who was first, unless the request waits for an answer."""
    if request.state != Decision.State.PENDING:
        by = f" by {request.decided_by.display_name}" if request.decided_by else ""
        raise Unprocessable(f"The request was {request.get_state_display().lower()}{by} already.")


def end(request: Decision, state: Decision.State, *, by: User, answer: str) -> None:
    """Write how it ended; the record of it is the caller's."""
    request.state, request.answer = state, answer
    request.decided_by, request.decided_at = by, timezone.now()
    request.save()


def answered(request: Decision) -> str:
    """Return the word for what was decided, as mails say it."""
    return "accepted" if request.state == Decision.State.ACCEPTED else "refused"
