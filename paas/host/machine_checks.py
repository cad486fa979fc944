"""What the doctor looks at on the machine itself, and what the installs of one checkout share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from . import debian, engine, images, virtualenv
from .engine import docker, inspect
from .settings import Settings

LEAST_FREE_GB, LEAST_MEMORY_GB = 5, 2
BRIDGE_SWITCH = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


# A check returns "" where all is well, or else what is wrong and how to mend it.
Check = Callable[[Settings], str]


def root(settings: Settings) -> str:
    return "" if os.geteuid() == 0 else "The platform runs as root: use sudo."


def packages(settings: Settings) -> str:
    missing = debian.missing({**debian.NEEDS, **debian.ENGINE_NEEDS})
    return f"Missing from Debian: {', '.join(missing)}. `make run` installs them." if missing else ""


def disk(settings: Settings) -> str:
    folder = next(path for path in (settings.state, *settings.state.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 1e9
    return (
        "" if free > LEAST_FREE_GB else f"{folder} has {free:.1f} GB left; make room for {LEAST_FREE_GB} GB at least."
    )


def memory(settings: Settings) -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        "" if total > LEAST_MEMORY_GB else f"The machine has {total:.1f} GB of memory; {LEAST_MEMORY_GB} GB is little."
    )


def loop_devices(settings: Settings) -> str:
    return "" if Path("/dev/loop-control").exists() else "There is no /dev/loop-control: try `modprobe loop`."


def engine_answers(settings: Settings) -> str:
    return "" if engine.answers() else f"Nobody answers at {engine.socket_path()}. `make run` starts the engine."


def live_restore(settings: Settings) -> str:
    if docker("info", "--format", "{{.LiveRestoreEnabled}}").strip() == "true":
        return ""
    return (
        "The engine runs without live-restore, so restarting it stops every app for a while. "
        f'Put "live-restore": true into {engine.DAEMON_SETTINGS} and reload the engine.'
    )


def bridge_filter(settings: Settings) -> str:
    if not BRIDGE_SWITCH.exists() or BRIDGE_SWITCH.read_text().strip() == "1":
        return ""
    return f"Containers can reach each other past the firewall. The cell mends it, or: echo 1 > {BRIDGE_SWITCH}"


def python(settings: Settings) -> str:
    return "" if virtualenv.is_made() else "The virtual environment is not what requirements.txt asks for: `make run`."


def stack(settings: Settings) -> str:
    wanted = [images.stacks.base_image_name(), images.stacks.image_name()]
    missing = [name for name in wanted if inspect("image", name) is None]
    return f"The engine lacks {', '.join(missing)}: `make run` builds it." if missing else ""


CHECKS: tuple[tuple[str, Check], ...] = (
    ("run by root", root),
    ("Debian packages", packages),
    ("disk space", disk),
    ("memory", memory),
    ("loop devices", loop_devices),
    ("container engine", engine_answers),
    ("engine keeps containers through its restart", live_restore),
    ("bridge traffic passes the firewall", bridge_filter),
    ("virtual environment", python),
    ("images", stack),
)
