"""``make stop``: ends the control plane, every instance, and the data plane; what is stored stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import controlplane, debian, engine
from .containers import stop_and_remove
from .engine import listed
from .install import Install, load
from .settings import state_folder
from .steps import Steps

# In this order: the agent takes in the last lines of what ends before it, and nothing loses its database under it.
DATA_PLANE = ("cell", "router", "redis", "postgres")


def stop(environment: Mapping[str, str] = os.environ) -> int:
    """Stop the install in the state folder; silent about what does not run."""
    state, steps = state_folder(environment), Steps()
    install = load(state)
    if install is None:
        steps.say(f"There is no install in {state}.")
        return 0
    debian.check_machine()
    with steps.step(f"Stopping {install.id}"):
        controlplane.stop(state)
        if engine.answers():
            stop_containers(install)
        unmount(state)
    return 0


def stop_containers(install: Install) -> None:
    """Remove the install's containers: the engine would start again those that it only stopped."""
    ours = [install.named(what) for what in DATA_PLANE]
    names = listed("container", install.label, form="{{.Names}}")
    stop_and_remove(*[name for name in names if name not in ours], grace=10)
    for name in ours:
        if name in names:
            stop_and_remove(name)


def unmount(state: Path) -> None:
    """Take down the disks that the agent had no time for."""
    for target in reversed(mounts_under(state)):
        subprocess.run(["umount", "--lazy", target], check=False, stderr=subprocess.DEVNULL)


def mounts_under(folder: Path, table: Path = Path("/proc/self/mounts")) -> list[str]:
    """Return the mount points inside the folder, outermost first."""
    points = [line.split()[1].encode().decode("unicode_escape") for line in table.read_text().splitlines()]
    return sorted(point for point in points if Path(point) != folder and Path(point).is_relative_to(folder))
