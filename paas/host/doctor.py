"""``make doctor``: looks at everything an install stands on, and says how to mend what it finds."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import containers, controlplane, dataplane, debian, engine, environment, images, stores, virtualenv
from .engine import docker, inspect
from .install import Install, load
from .origin import Origin
from .settings import CHECKOUT, Settings, read
from .shell import HostError, run

LEAST_FREE_GB, LEAST_MEMORY_GB = 5, 2
BRIDGE_SWITCH = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


@dataclass(frozen=True)
class Place:
    """What is being looked at; ``install`` is None before the first start."""

    settings: Settings
    install: Install | None


# A check returns "" where all is well, or else what is wrong and how to mend it.
Check = Callable[[Place], str]


def doctor(given: Mapping[str, str] = os.environ) -> int:
    """Print one line per check; return 1 if any found something."""
    settings = read({**saved(given), **given})
    place = Place(settings, load(settings.state))
    checks = MACHINE + (INSTALL if place.install else ())
    findings = 0
    os.environ["PATH"] += f":{debian.SBIN}"
    for title, check in checks:
        try:
            finding = check(place)
        except (HostError, OSError) as error:
            finding = str(error)
        findings += bool(finding)
        print(f"{'mend' if finding else 'ok':>5}  {title}" + (f"\n       {finding}" if finding else ""), flush=True)
    if place.install is None:
        print(f"       There is no install in {settings.state} yet: `make run` makes one.")
    print(f"\n{len(checks)} checks, {findings or 'no'} finding{'' if findings == 1 else 's'}.")
    return 1 if findings else 0


def saved(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that the last start wrote down, but for those of our own making."""
    from .settings import state_folder

    file = state_folder(given) / "env"
    lines = file.read_text().splitlines() if file.exists() else []
    found = {name: value for name, _, value in (line.partition("=") for line in lines if not line.startswith("#"))}
    return {name: value for name, value in found.items() if name.startswith("PAAS_") and name != "PAAS_SUBNET"}


def root(place: Place) -> str:
    return "" if os.geteuid() == 0 else "The platform runs as root: use sudo."


def packages(place: Place) -> str:
    missing = debian.missing({**debian.NEEDS, **debian.ENGINE_NEEDS})
    return f"Missing from Debian: {', '.join(missing)}. `make run` installs them." if missing else ""


def disk(place: Place) -> str:
    folder = next(path for path in (place.settings.state, *place.settings.state.parents) if path.exists())
    free = shutil.disk_usage(folder).free / 1e9
    return "" if free > LEAST_FREE_GB else f"{folder} has {free:.1f} GB left; make room for {LEAST_FREE_GB} GB at least."


def memory(place: Place) -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return "" if total > LEAST_MEMORY_GB else f"The machine has {total:.1f} GB of memory; {LEAST_MEMORY_GB} GB is little."


def loop_devices(place: Place) -> str:
    return "" if Path("/dev/loop-control").exists() else "There is no /dev/loop-control: try `modprobe loop`."


def engine_answers(place: Place) -> str:
    return "" if engine.answers() else f"Nobody answers at {engine.socket_path()}. `make run` starts the engine."


def live_restore(place: Place) -> str:
    if docker("info", "--format", "{{.LiveRestoreEnabled}}").strip() == "true":
        return ""
    return (
        "The engine runs without live-restore, so restarting it stops every app for a while. "
        f'Put "live-restore": true into {engine.DAEMON_SETTINGS} and reload the engine.'
    )


def bridge_filter(place: Place) -> str:
    if not BRIDGE_SWITCH.exists() or BRIDGE_SWITCH.read_text().strip() == "1":
        return ""
    return f"Containers can reach each other past the firewall. The cell mends it, or: echo 1 > {BRIDGE_SWITCH}"


def private_files(place: Place) -> str:
    for name in ("install.json", "env", "keys/secret"):
        file = place.settings.state / name
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            return f"{file} holds secrets and others may read it: chmod 600 {file}"
    return ""


def python(place: Place) -> str:
    return "" if virtualenv.is_made() else "The virtual environment is not what requirements.txt asks for: `make run`."


def stack(place: Place) -> str:
    wanted = [images.stacks.base_image_name(), images.stacks.image_name()]
    missing = [name for name in wanted if inspect("image", name) is None]
    return f"The engine lacks {', '.join(missing)}: `make run` builds it." if missing else ""


def postgres(place: Place) -> str:
    return "" if place.settings.database_url else _container(place, "postgres")


def redis(place: Place) -> str:
    return "" if place.settings.redis_url else _container(place, "redis")


def _container(place: Place, what: str) -> str:
    assert place.install
    name = place.install.named(what)
    if containers.is_running(name):
        return ""
    return f"The container {name} does not run. `make run` starts it; `docker logs {name}` may say why it ended."


def migrations(place: Place) -> str:
    assert place.install
    variables = environment.of(place.settings, place.install, images.stacks.image_name())
    run(
        [virtualenv.PYTHON, CHECKOUT / "manage.py", "migrate", "--check", "--database", "owner"],
        folder=CHECKOUT,
        environment=environment.process(variables),
    )
    return ""


def database_roles(place: Place) -> str:
    assert place.install
    found = stores.addresses(place.settings, place.install)
    if found.database_url != found.database_owner_url:
        return ""
    return (
        "DATABASE_URL is also the owner's, so the application could change its own audit trail. "
        "Give the owner's address in DATABASE_OWNER_URL, and in DATABASE_URL a role that owns nothing."
    )


def cell(place: Place) -> str:
    if finding := _container(place, "cell"):
        return finding
    return "" if dataplane.cell_answers(place.settings.state) else "The cell's agent does not answer: `make run`."


def firewall(place: Place) -> str:
    assert place.install
    if f"paas-{place.install.id}" in run(["iptables", "-w", "-S", "INPUT"]).lower():
        return ""
    return "Containers can reach this machine's ports: the cell's rules are not in force. `make run` brings the cell back."


def router(place: Place) -> str:
    if finding := _container(place, "router"):
        return finding
    for name, port in (("PAAS_PORT", place.settings.port), ("PAAS_TLS_PORT", place.settings.tls_port)):
        if name == "PAAS_TLS_PORT" and not place.settings.secure:
            continue
        with socket.socket() as probe:
            probe.settimeout(2)
            if probe.connect_ex(("127.0.0.1", port)):
                return f"The router does not listen on {name}={port}: `make run`."
    return ""


def control_plane(place: Place) -> str:
    if controlplane.running(place.settings.state) is None:
        return "The control plane does not run: `make run`. (Apps, router and logs go on without it.)"
    answer = Origin(place.settings, timeout=10).fetch("GET", place.settings.domain, "/v3/info")
    log = place.settings.state / "log" / "platform.log"
    return "" if answer.status == 200 else f"The console answers {answer.status}; {log} may say why."


def names(place: Place) -> str:
    for name in (place.settings.domain, f"sample.{place.settings.apps_domain}"):
        try:
            socket.getaddrinfo(name, None)
        except OSError:
            if name.endswith("localhost"):
                continue  # browsers and curl know by themselves
            return f"{name} has no address here. Let {name} (for apps: every name under the domain) lead to this machine."
    return ""


MACHINE: tuple[tuple[str, Check], ...] = (
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
INSTALL: tuple[tuple[str, Check], ...] = (
    ("secrets are private", private_files),
    ("PostgreSQL", postgres),
    ("Redis", redis),
    ("migrations", migrations),
    ("database roles", database_roles),
    ("cell", cell),
    ("firewall", firewall),
    ("router", router),
    ("control plane", control_plane),
    ("names", names),
)
