"""Finds ports and addresses on this machine that nobody uses."""

from __future__ import annotations

import ipaddress
import random
import socket
import struct
from collections.abc import Collection
from pathlib import Path

from .shell import HostError

# Below the range from which Linux takes ports for outgoing connections, so that a port is still free at the next start.
PORTS = range(20000, 30000)
PREFIX = 20  # 4,096 addresses: a quarter for builds, the rest for instances


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return different ports on 127.0.0.1 on which nobody listens."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    return found


def free_subnet(taken: Collection[str]) -> str:
    """Return a private network that overlaps with none of ``taken`` and none of this machine's routes."""
    used = [ipaddress.IPv4Network(network, strict=False) for network in (*taken, *routes())]
    candidates = list(ipaddress.IPv4Network("10.64.0.0/10").subnets(new_prefix=PREFIX))
    random.shuffle(candidates)
    for candidate in candidates:
        if not any(candidate.overlaps(network) for network in used):
            return str(candidate)
    raise HostError("Every network in 10.64.0.0/10 is in use here. Name a free private one in PAAS_SUBNET.")


def routes(table: Path = Path("/proc/net/route")) -> list[str]:
    """Return the networks that this machine has a route to, but for the default one."""
    found = []
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        destination, mask = (socket.inet_ntoa(struct.pack("<I", int(fields[i], 16))) for i in (1, 7))
        if mask != "0.0.0.0":
            found.append(f"{destination}/{mask}")
    return found
