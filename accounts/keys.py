"""Keys of robots: the secrets for which they get their tokens. Only a hash is kept, and a token dies with its key."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import RobotKey, User
from accounts.tokens import digest

PREFIX = "slk_"  # so that whoever finds one, a scanner too, knows what it is
NOTICES = (timedelta(days=7), timedelta(days=1))  # how long before its end a key is announced to end


def new(robot: User, *, name: str, expires_at: datetime, seen_by: User) -> tuple[RobotKey, str]:
    """Write a key; return it and its text, which is shown this once."""
    text = PREFIX + secrets.token_urlsafe(32)
    key = RobotKey(robot=robot, name=name, digest=digest(text), expires_at=expires_at, seen_by=seen_by)
    key.due_at = next_notice(expires_at)
    key.save()
    return key, text


def next_notice(expires_at: datetime) -> datetime | None:
    """Return when the end is to be announced next; one that has been due by now is over."""
    now = timezone.now()
    return next((at for before in NOTICES if (at := expires_at - before) > now), None)


def of_secret(text: str, robot: User) -> RobotKey | None:
    """Return the robot's key in force with that text."""
    found = RobotKey.objects.filter(robot=robot, digest=digest(text), expires_at__gt=timezone.now())
    return found.first() if text.startswith(PREFIX) else None
