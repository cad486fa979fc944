"""Reads the file of what is offered at Amazon, which the operator edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.brokers.engine.plans import PlansWrong, document, identity


@dataclass(frozen=True)
class Plan:
    """One plan. ``more`` is what only its kind of service understands: sizes, nodes."""

    id: str
    name: str
    description: str
    bullets: tuple[str, ...]
    monthly_gbp: float
    free: bool
    retired: bool
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """One kind of service with its plans; ``name`` is what teams order it by."""

    id: str
    kind: str
    name: str
    title: str
    description: str
    about: str
    plans: tuple[Plan, ...]
    more: Mapping[str, Any]

    def plan(self, plan_id: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.id == plan_id), None)


def read(path: Path) -> tuple[Offer, ...]:
    """Return what the file offers; raise ``PlansWrong``."""
    return tuple(_offer(path, kind, given) for kind, given in document(path).items())


def _offer(path: Path, kind: str, given: dict[str, Any]) -> Offer:
    try:
        plans = tuple(_plan(kind, name, each) for name, each in given.pop("plans").items())
        texts = {key: str(given.pop(key)) for key in ("title", "description", "about")}
        name = str(given.pop("name", kind))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlansWrong(f"In {path}, {kind!r} lacks {error}, or has no number there.") from error
    return Offer(id=identity("amazon", kind), kind=kind, name=name, plans=plans, more=given, **texts)


def _plan(kind: str, name: str, given: dict[str, Any]) -> Plan:
    return Plan(
        id=identity("amazon", kind, name),
        name=name,
        description=str(given.pop("description")),
        bullets=tuple(map(str, given.pop("bullets"))),
        monthly_gbp=float(given.pop("monthly_gbp")),
        free=bool(given.pop("free", False)),
        retired=bool(given.pop("retired", False)),
        more=given,
    )
