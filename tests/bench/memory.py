"""What the platform's processes hold while nothing happens, each page counted once (PSS)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from paas.host import install
from paas.host.shell import run
from tests.bench.ground import Ground
from tests.bench.table import Aim, Row

REST = 20  # seconds without a request before


def measure(ground: Ground) -> list[Row]:
    house = ground.house
    assert ground.client.call("GET", "/v3/apps")  # the web server has served before
    ground.say(f"resting for {REST} s")
    time.sleep(REST)
    assert house.running
    control = _megabytes(_tree(house.running.pid))
    found = install.load(house.state)
    assert found
    stores, data_plane = (_containers([found.named(name) for name in names]) for names in (STORES, DATA_PLANE))
    return [
        Row("memory at rest, control plane (web, workers, clock, supervisor)", "MB", control, aim=Aim(600, of="ours")),
        Row("memory at rest, control plane with PostgreSQL and Redis", "MB", control + stores, aim=Aim(600, of="ours")),
        Row("memory at rest, data plane (router, cell)", "MB", data_plane),
    ]


STORES, DATA_PLANE = ("postgres", "redis"), ("router", "cell")


def _containers(names: Iterable[str]) -> float:
    pids = run(["docker", "inspect", "--format", "{{.State.Pid}}", *names]).split()
    return sum(_megabytes(_tree(int(pid))) for pid in pids)


def _tree(root: int) -> list[int]:
    """Return the process and all below it."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        children[int(fields[1])].append(int(file.parent.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def _megabytes(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6
