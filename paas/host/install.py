"""What one install is called and where it listens: chosen at the first start, kept in ``install.json``."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from . import network
from .shell import HostError


@dataclass(frozen=True)
class Install:
    id: str  # six hex digits; in the name and label of everything that the install makes
    subnet: str
    web_port: int
    postgres_port: int
    redis_port: int
    owner_password: str
    application_password: str
    redis_password: str

    @property
    def label(self) -> str:
        return f"paas.install={self.id}"

    def named(self, what: str) -> str:
        """Return the name of the install's container or volume, for instance ``paas-0a1b2c-router``."""
        return f"paas-{self.id}-{what}"


def load(state: Path) -> Install | None:
    """Return the install whose state is in the folder, None where nothing was ever started."""
    file = state / "install.json"
    if not file.exists():
        return None
    try:
        return Install(**json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise HostError(
            f"{file} cannot be understood ({error}). Bring it back from a copy, or remove the install by hand: "
            "everything it made on the engine carries a label paas.install."
        ) from error


def load_or_create(state: Path, *, subnet: str = "", taken: Collection[str] = ()) -> Install:
    """Return the folder's install; at the first start choose a name, free ports and a free subnet.

    ``subnet`` is the operator's choice, ``taken`` are networks that something on this machine uses.
    """
    install = load(state)
    if install is None:
        ports = network.free_ports(3)
        install = Install(
            id=secrets.token_hex(3),
            subnet=subnet or network.free_subnet(taken),
            web_port=ports[0],
            postgres_port=ports[1],
            redis_port=ports[2],
            owner_password=secrets.token_urlsafe(24),
            application_password=secrets.token_urlsafe(24),
            redis_password=secrets.token_urlsafe(24),
        )
        save(state, install)
    if subnet and subnet != install.subnet:
        raise HostError(
            f"PAAS_SUBNET is {subnet}, but this install was made with {install.subnet}, and instances have addresses "
            "in it. Leave PAAS_SUBNET out, or `make clean` and start anew."
        )
    return install


def with_free_port(state: Path, install: Install, name: Literal["web_port", "postgres_port", "redis_port"]) -> Install:
    """Return the install with another port of that name where the one it had was taken by someone else."""
    if network.is_free(getattr(install, name)):
        return install
    port: Any = {name: network.free_ports(1)[0]}
    changed = replace(install, **port)
    save(state, changed)
    return changed


def save(state: Path, install: Install) -> None:
    write_private(state / "install.json", json.dumps(asdict(install), indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Write a file that only root reads, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    new.replace(file)
