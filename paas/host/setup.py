"""The parts that every command needs before it can do anything: packages, engine, images, tools."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from . import assets, dataplane, debian, engine, images, install, network, stores, virtualenv
from .engine import docker
from .install import Install
from .settings import TOOLS, Settings
from .shell import HostError
from .steps import Steps

REGISTER = TOOLS / "installs"  # the state folders of this checkout's installs, one in a line
PRIVATE = (
    "blobs",
    "builds",
    "cell",
    "log",
    "logs",
    "uploads",
)  # what teams push, write and log is no other user's business
MAY_BE_THERE = {"keys", "run.lock"}  # a management command may have been the first to run, or we a moment ago


def machine(steps: Steps, needs: dict[str, str]) -> None:
    """Install Debian packages and start the engine, where they are missing."""
    debian.check_machine()
    debian.install(debian.missing(needs), steps)
    engine.ensure(steps)


def install_of(settings: Settings) -> Install:
    """Return the state folder's install, made at the first start."""
    state = settings.state
    known = install.load(state)
    if known is None and state != TOOLS and state.is_dir() and {path.name for path in state.iterdir()} - MAY_BE_THERE:
        raise HostError(f"PAAS_STATE={state} holds something else already. Name an empty folder, or one to be made.")
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o711)  # containers read single files inside; nobody else lists them
    found = known or install.load_or_create(state, subnet=settings.subnet, taken=engine_subnets())
    for name in PRIVATE:
        (state / name).mkdir(exist_ok=True)
        (state / name).chmod(0o700)
    install.load_or_create(state, subnet=settings.subnet)  # refuses another subnet than the install's
    register(settings)
    return found


def engine_subnets() -> list[str]:
    """Return the networks that the engine gave to anybody."""
    names = docker("network", "ls", "--quiet").split()
    found = json.loads(docker("network", "inspect", *names)) if names else []
    subnets = [part.get("Subnet", "") for one in found for part in (one["IPAM"]["Config"] or [])]
    return [subnet for subnet in subnets if subnet and ipaddress.ip_network(subnet).version == 4]


def register(settings: Settings) -> None:
    """Note that this checkout has an install there, so that the last one to go takes the shared tools along."""
    known = registered()
    if settings.state not in known:
        REGISTER.parent.mkdir(parents=True, exist_ok=True)  # a new checkout, and an install elsewhere
        REGISTER.write_text("".join(f"{path}\n" for path in (*known, settings.state)))


def registered() -> list[Path]:
    """Return the state folders of this checkout's installs."""
    lines = REGISTER.read_text().splitlines() if REGISTER.exists() else []
    return [path for path in map(Path, lines) if (path / "install.json").exists()]


def check_ports(settings: Settings) -> None:
    """Refuse a port on which anybody but our own router listens."""
    wanted = {"PAAS_PORT": settings.port} | ({"PAAS_TLS_PORT": settings.tls_port} if settings.secure else {})
    for name, port in wanted.items():
        if not network.is_free(port, "0.0.0.0") and port not in dataplane.router_ports(settings.state):
            raise HostError(
                f"{name} is {port}, but another program listens there (`ss -ltnp 'sport = {port}'` names it). "
                f"Stop it, or choose another port: make run {name}=..."
            )


def tools(settings: Settings, found: Install, steps: Steps, *, tests: bool = False) -> tuple[Install, str]:
    """Make the virtual environment, the images, the stores and the assets, side by side.

    Returns the install (its ports may have moved) and the name of the stack's image.
    """

    def python() -> None:
        virtualenv.ensure(steps)

    def databases() -> Install:
        with steps.step("PostgreSQL and Redis"):
            return stores.ensure(settings, found, steps.say, tests=tests)

    def stack() -> str:
        name = images.ensure_stack(steps.say)
        assets.ensure(settings.state, name, steps)
        return name

    _, moved, image = steps.together(python, databases, stack)
    return moved, image
