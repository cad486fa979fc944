"""What the agent is told once, by ``<state>/cell/config.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """The install's names, addresses and limits. ``egress_allow`` and ``egress_deny`` are the operator's."""

    state: Path
    install: str
    bridge: str
    subnet: IPv4Network
    gateway: IPv4Address
    router_ports: tuple[int, ...]
    egress_allow: tuple[IPv4Network, ...]
    egress_deny: tuple[IPv4Network, ...]
    docker_socket: str
    logs_max_bytes_per_app: int
    logs_max_age_seconds: int
    router_access_log: Path | None

    @property
    def network(self) -> str:
        return f"paas-{self.install}"

    @property
    def dynamic(self) -> IPv4Network:
        """The top quarter of the subnet, for containers that come without an address (builds)."""
        return list(self.subnet.subnets(prefixlen_diff=2))[3]

    def container(self, instance: str) -> str:
        return f"paas-{self.install}-i-{instance}"


def load(state: Path) -> Config:
    """Read the file; raise ``KeyError`` or ``ValueError`` naming what is wrong."""
    given = json.loads((state / "cell/config.json").read_text())
    log = given.get("router_access_log")
    return Config(
        state=state,
        install=given["install"],
        bridge=given["bridge"],
        subnet=IPv4Network(given["subnet"]),
        gateway=IPv4Address(given["gateway"]),
        router_ports=tuple(given["router_ports"]),
        egress_allow=tuple(IPv4Network(each) for each in given.get("egress_allow", ())),
        egress_deny=tuple(IPv4Network(each) for each in given.get("egress_deny", ())),
        docker_socket=given.get("docker_socket", "/var/run/docker.sock"),
        logs_max_bytes_per_app=given.get("logs_max_bytes_per_app", 16 << 20),
        logs_max_age_seconds=given.get("logs_max_age_seconds", 7 * 86400),
        router_access_log=Path(log) if log else None,
    )
