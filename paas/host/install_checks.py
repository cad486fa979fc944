"""What the doctor looks at in one install."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable

from . import containers, controlplane, dataplane, environment, images, stores
from .install import Install
from .origin import Origin
from .settings import Settings
from .shell import run

Check = Callable[[Settings, Install], str]  # as in machine_checks


def private_files(settings: Settings, install: Install) -> str:
    for name in ("install.json", "env", "keys/secret"):
        file = settings.state / name
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            return f"{file} holds secrets and others may read it: chmod 600 {file}"
    return ""


def postgres(settings: Settings, install: Install) -> str:
    return "" if settings.database_url else _container(settings, install, "postgres")


def redis(settings: Settings, install: Install) -> str:
    return "" if settings.redis_url else _container(settings, install, "redis")


def _container(settings: Settings, install: Install, what: str) -> str:
    name = install.named(what)
    if containers.is_running(name):
        return ""
    mend = f"`docker start {name}` starts it" if containers.exists(name) else _again(settings)
    return f"The container {name} does not run: {mend}. `docker logs {name}` may say why it ended."


def _again(settings: Settings) -> str:
    """Say how to have everything set up anew: a second start is refused while the first is in the foreground."""
    runs = controlplane.running(settings.state) is not None
    return "end the `make run` that is under way with Ctrl-C, and start it again" if runs else "`make run`"


def migrations(settings: Settings, install: Install) -> str:
    if postgres(settings, install):
        return "They cannot be looked at while PostgreSQL does not run."
    variables = environment.of(settings, install, images.stacks.image_name())
    controlplane.manage(variables, "migrate", "--check", "--database", "owner")
    return ""


def database_roles(settings: Settings, install: Install) -> str:
    found = stores.addresses(settings, install)
    if found.database_url != found.database_owner_url:
        return ""
    return (
        "DATABASE_URL is also the owner's, so the application could change its own audit trail. "
        "Give the owner's address in DATABASE_OWNER_URL, and in DATABASE_URL a role that owns nothing."
    )


def cell(settings: Settings, install: Install) -> str:
    if finding := _container(settings, install, "cell"):
        return finding
    if dataplane.cell_answers(settings.state):
        return ""
    return f"The cell's agent does not answer: `docker restart {install.named('cell')}`."


def firewall(settings: Settings, install: Install) -> str:
    rules = run(["iptables", "-w", "-S"]).lower().splitlines()
    ours = f"paas-{install.id}-in"
    if any(rule.startswith("-a input ") and ours in rule for rule in rules) and any(
        rule.startswith(f"-a {ours} ") for rule in rules
    ):
        return ""
    return (
        "Containers can reach this machine's ports: the cell's rules are not in force. "
        f"`docker restart {install.named('cell')}` puts them back."
    )


def router(settings: Settings, install: Install) -> str:
    if finding := _container(settings, install, "router"):
        return finding
    for name, port in (("PAAS_PORT", settings.port), ("PAAS_TLS_PORT", settings.tls_port)):
        if name == "PAAS_TLS_PORT" and not settings.secure:
            continue
        with socket.socket() as probe:
            probe.settimeout(2)
            if probe.connect_ex(("127.0.0.1", port)):
                return f"The router does not listen on {name}={port}: {_again(settings)}."
    return ""


def control_plane(settings: Settings, install: Install) -> str:
    if controlplane.running(settings.state) is None:
        return "The control plane does not run: `make run`. (Apps, router and logs go on without it.)"
    answer = Origin(settings, timeout=10).fetch("GET", settings.domain, "/v3/info")
    log = settings.state / "log" / "platform.log"
    return "" if answer.status == 200 else f"The console answers {answer.status}; {log} may say why."


def names(settings: Settings, install: Install) -> str:
    for name in (settings.domain, f"sample.{settings.apps_domain}"):
        try:
            socket.getaddrinfo(name, None)
        except OSError:
            if name.endswith("localhost"):
                continue  # browsers and curl know by themselves
            return (
                f"{name} has no address here. Let {name} (for apps: every name under the domain) lead to this machine."
            )
    return ""


CHECKS: tuple[tuple[str, Check], ...] = (
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
