"""What the machine has left for one more instance, so that a form can say it before it is sent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from paas.cell.volumes import SPARE
from paas.seams.runtimes.base import Observation

from .base import Size
from .offers import amount

SHARE_OF_MACHINE = 0.8  # of its memory, where the operator says nothing
MB = 1 << 20


class Addresses(Protocol):
    """The region's addresses: an owner's stays its own until it is given back."""

    def take(self, owner: str) -> str: ...

    def of(self, owner: str) -> str | None: ...

    def owners(self) -> list[str]: ...

    def give_back(self, owner: str) -> None: ...


@dataclass(frozen=True)
class Machine:
    """Where the volumes lie, and the memory for all instances together (None: a share of the machine's)."""

    folder: Path
    memory_mb: int | None


@dataclass(frozen=True)
class Left:
    memory_mb: int
    disk_mb: int


def left(machine: Machine, running: Iterable[Observation]) -> Left:
    """Return what neither apps nor services have; a task that has ended gave its memory back."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MB
    total = machine.memory_mb or int(physical * SHARE_OF_MACHINE)
    taken = sum(each.memory_mb for each in running if each.state != "stopped")
    free = (shutil.disk_usage(machine.folder).free - SPARE) // MB
    return Left(max(0, total - taken), max(0, free))


def more(before: Size, after: Size) -> Size:
    """Return what a change of plan takes in addition."""
    memory_mb, disk_mb = after.memory_mb - before.memory_mb, after.disk_mb - before.disk_mb
    return replace(after, memory_mb=memory_mb, disk_mb=disk_mb)


def lacks(size: Size, left: Left) -> str:
    """Return "" or what is missing, and what can be done about it."""
    wanted = {"memory": (size.memory_mb, left.memory_mb), "disk": (size.disk_mb, left.disk_mb)}
    short = [
        f"{amount(need)} of {what}, and {amount(there)} are free"
        for what, (need, there) in wanted.items()
        if need > there
    ]
    if not short:
        return ""
    return f"The platform has no room for this plan now: it takes {'; '.join(short)}. Choose a smaller plan, or tell the platform team."
