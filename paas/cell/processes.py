"""Looks at, and ends, a container's first process by its id on the machine, which works with the engine away."""

from __future__ import annotations

import os
import signal
import time

GRACE = 10.0


def alive(pid: int, container: str) -> bool:
    """Tell whether the process runs and belongs to the container (an id is used again after a while)."""
    if pid <= 0:
        return False
    try:
        with open(f"/proc/{pid}/cgroup") as file:
            return container in file.read()
    except (FileNotFoundError, ProcessLookupError):
        return False


def end(pid: int, container: str) -> None:
    """SIGTERM, ten seconds, SIGKILL. Not through the engine, which then would not start the container again."""
    if not alive(pid, container):
        return
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while alive(pid, container):
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
            return
        time.sleep(0.1)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
