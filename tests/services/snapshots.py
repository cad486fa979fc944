"""What the tests of snapshots do with them, whatever the kind of server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.brokers.base import Instance, Origin
from services.brokers.engine.base import Backups, NotReady, Taken
from services.brokers.engine.keeper import ENDING, MOMENT
from services.brokers.keeping import Proof
from tests.cell.machine import wait_until
from tests.services.bed import Bed

CIPHER, OTHER = "c" * 43, "d" * 43
SUFFIX = f"{ENDING}.bin"  # of what is encrypted


def backed_up(bed: Bed, instance: Instance) -> Taken:
    """Have a snapshot taken; return it."""
    bed.broker.keeping.take(instance, full=True)
    look = ended(bed, instance)
    assert not look.error, look.error
    return look.taken[-1]


def ended(bed: Bed, instance: Instance) -> Backups:
    def told() -> Backups | None:
        look = bed.broker.keeping.look(instance)
        return None if look.running else look

    return wait_until(told, "the backup", seconds=180)  # type: ignore[no-any-return]


def restored(bed: Bed, source: Instance, *, of: str = CIPHER, **wanted: Any) -> Instance:
    made = replace(source, guid=bed.instance("redis", "micro-7").guid, cipher=OTHER)
    made = replace(made, origin=Origin(source.guid, of, **wanted))
    bed.provision(made)
    return made


def proved(bed: Bed, instance: Instance) -> Proof:
    mark = bed.broker.keeping.mark(instance)
    return wait_until(lambda: not_ready(lambda: bed.broker.keeping.prove(instance, mark)), "the proof", seconds=180)  # type: ignore[no-any-return]


def not_ready(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except NotReady:
        return None


def store(bed: Bed, instance: Instance) -> Path:
    return bed.machine.folder / "volumes" / f"{instance.guid}-backups" / "data"


def swap(bed: Bed, instance: Instance, taken: Taken, other: Taken) -> None:
    """Let one snapshot hold what was in the other."""
    held = store(bed, instance)
    (held / f"{taken.label}{SUFFIX}").write_bytes((held / f"{other.label}{SUFFIX}").read_bytes())


def damage(bed: Bed, instance: Instance) -> None:
    for path in store(bed, instance).glob(f"*{SUFFIX}"):
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"damaged" * 4)


def aged(bed: Bed, instance: Instance, label: str, age: timedelta) -> str:
    """Let a snapshot be as old as that; return what it is called then."""
    then = f"{datetime.now(UTC) - age:{MOMENT}}"
    path = store(bed, instance) / f"{label}{SUFFIX}"
    path.rename(path.with_name(f"{then}-{then}{SUFFIX}"))
    return f"{then}-{then}"
