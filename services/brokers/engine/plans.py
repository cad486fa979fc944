"""Reads the file of plans that the operator edits, and makes the sizes fit this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from .base import Size

LEAST_MEMORY_MB, LEAST_DISK_MB, LEAST_CPUS = 256, 512, 0.25
MEMORY_PER_CONNECTION_MB = 2


class PlansWrong(ValueError):
    """The file of plans does not say what it must; the text names the place."""


@dataclass(frozen=True)
class Plan:
    """One plan of one service, with its size as it is on this machine."""

    id: str
    name: str
    description: str
    size: Size
    monthly_gbp: float
    free: bool
    retired: bool


@dataclass(frozen=True)
class Service:
    """One service of the file. ``more`` is what only its own kind of server understands."""

    id: str
    name: str
    title: str
    version: str
    release: str
    description: str
    about: str
    plans: tuple[Plan, ...]
    more: Mapping[str, Any]

    def plan(self, plan_id: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.id == plan_id), None)


def read(path: Path, *, scale: int) -> tuple[Service, ...]:
    """Return the services of the file, ``scale`` percent of the size that it says; raise ``PlansWrong``."""
    return tuple(_service(path, name, given, scale) for name, given in document(path).items())


def document(path: Path) -> dict[str, Any]:
    """Return what is in a file of plans; raise ``PlansWrong`` where it cannot be read as such."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise PlansWrong(f"{path} is not valid TOML: {error}.") from error


def identity(*names: str) -> str:
    """Return the id that stands for a service or plan in every install, for as long as its name stays."""
    return str(uuid5(NAMESPACE_OID, "/".join(("paas", *names))))


def _service(path: Path, name: str, given: dict[str, Any], scale: int) -> Service:
    try:
        plans = tuple(_plan(name, plan, each, scale) for plan, each in given.pop("plans").items())
        texts = {key: str(given.pop(key)) for key in ("title", "version", "release", "description", "about")}
    except (KeyError, TypeError, ValueError) as error:
        raise PlansWrong(f"In {path}, the service {name!r} lacks {error}, or has no number there.") from error
    return Service(id=identity(name), name=name, plans=plans, more=given, **texts)


def _plan(service: str, name: str, given: dict[str, Any], scale: int) -> Plan:
    memory_mb = max(LEAST_MEMORY_MB, int(given["memory_mb"]) * scale // 100)
    size = Size(
        memory_mb=memory_mb,
        disk_mb=max(LEAST_DISK_MB, int(given["disk_mb"]) * scale // 100),
        cpus=max(LEAST_CPUS, float(given["cpus"]) * scale / 100),
        # Each costs memory, so that a plan made small cannot keep them all.
        connections=min(int(given["connections"]), memory_mb // MEMORY_PER_CONNECTION_MB),
    )
    return Plan(
        id=identity(service, name),
        name=name,
        description=str(given["description"]),
        size=size,
        monthly_gbp=float(given["monthly_gbp"]),
        free=bool(given.get("free", False)),
        retired=bool(given.get("retired", False)),
    )
