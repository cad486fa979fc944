"""When the platform may upgrade an instance by itself: a time each week, in UTC, of at least half an hour."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from .base import NotAllowed

NAME = "preferred_maintenance_window"
SETTING = "platform.maintenance_window"  # of the database
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOMENT = f"({'|'.join(DAYS)}):([01][0-9]|2[0-3]):([0-5][0-9])"
PATTERN = f"^{MOMENT}-{MOMENT}$"
DAY, WEEK = 24 * 60, 7 * 24 * 60  # minutes
LEAST = 30  # minutes
SCHEMA = {
    "type": "string",
    "pattern": PATTERN,
    "description": (
        "When the platform may upgrade the database by itself, like Tue:04:00-Tue:04:30 (UTC). Apps then lose their "
        "connections for seconds. Without it: half an hour of a night that is chosen for you."
    ),
}


def chosen(guid: str) -> str:
    """Return the window of an instance that was given none: its own, and never another, between 0 and 6 o'clock."""
    number = zlib.crc32(guid.encode())
    day, half = DAYS[number % 7], number // 7 % 12
    begin, end = half * LEAST, (half + 1) * LEAST
    return f"{day}:{begin // 60:02}:{begin % 60:02}-{day}:{end // 60:02}:{end % 60:02}"


def check(window: str) -> None:
    """Raise ``NotAllowed`` where it is none, too short to be of use, or so long that nobody can mean it."""
    _begin, minutes = _read(window)
    if not LEAST <= minutes < DAY:
        raise NotAllowed(f"{NAME} must be at least {LEAST} minutes long, and less than a day.")


def is_open(window: str, now: datetime) -> bool:
    begin, minutes = _read(window)
    here = now.astimezone(UTC)
    return (here.weekday() * DAY + here.hour * 60 + here.minute - begin) % WEEK < minutes


def keep(connection: psycopg.Connection[Any], window: str) -> None:
    """Have the database itself know it."""
    (database,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    connection.execute(
        sql.SQL("ALTER DATABASE {} SET {} = {}").format(sql.Identifier(database), sql.SQL(SETTING), sql.Literal(window))
    )


def kept(connection: psycopg.Connection[Any]) -> str:
    """Return what the database knew when the connection was opened, "" where it was given none."""
    (known,) = connection.execute("SELECT current_setting(%s, true)", [SETTING]).fetchone() or ("",)
    return known or ""


def _read(window: str) -> tuple[int, int]:
    """Return the minute of the week that it begins with, and how many it has."""
    found = re.fullmatch(PATTERN, window)
    if found is None:
        raise NotAllowed(f"{NAME} must be like Tue:04:00-Tue:04:30, in UTC.")
    begin, end = (
        DAYS.index(day) * DAY + int(hour) * 60 + int(minute)
        for day, hour, minute in (found.groups()[:3], found.groups()[3:])
    )
    return begin, (end - begin) % WEEK
