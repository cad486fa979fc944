"""Turns the agent's JSON into what crosses the seam."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from paas.lib.text import storable

from .base import Exit, Happening, Observation


def observation(seen: dict[str, Any]) -> Observation:
    times = {name: moment(seen[name]) for name in ("since", "seen_at")}
    return Observation(**{**seen, **times, "exit": seen["exit"] and how_it_ended(seen["exit"])})


def happening(seen: dict[str, Any]) -> Happening:
    return Happening(**{**seen, "at": moment(seen["at"]), "exit": how_it_ended(seen["exit"])})


def how_it_ended(seen: dict[str, Any]) -> Exit:
    return Exit(seen["status"], seen["reason"], moment(seen["at"]), tuple(map(storable, seen["last_lines"])))


def moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 10**9, UTC)
