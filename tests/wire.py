"""A network namespace at the other end of a wire of its own: what is outside of the machine, on the machine."""

from __future__ import annotations

import secrets
import subprocess


class Wire:
    """Its ends are two addresses of ``network`` ("10.253"); one that a killed run has left behind has others."""

    def __init__(self, letter: str, network: str) -> None:
        self.name = f"{letter}{secrets.token_hex(3)}"
        third, fourth = secrets.randbelow(250), 4 * secrets.randbelow(60)
        self.here, self.there = (f"{network}.{third}.{fourth + each}" for each in (1, 2))

    def open(self) -> None:
        outside, inside = f"{self.name}o", f"{self.name}i"
        for command in (
            f"ip netns add {self.name}",
            f"ip link add {outside} type veth peer name {inside} netns {self.name}",
            f"ip addr add {self.here}/30 dev {outside}",
            f"ip link set {outside} up",
            f"ip -n {self.name} addr add {self.there}/30 dev {inside}",
            f"ip -n {self.name} link set {inside} up",
            f"ip -n {self.name} link set lo up",
            f"ip -n {self.name} route add default via {self.here}",
        ):
            subprocess.run(command.split(), check=True)

    def lead(self, address: str) -> None:
        """Have another address at the far end."""
        subprocess.run(f"ip -n {self.name} addr add {address}/32 dev lo".split(), check=True)
        subprocess.run(f"ip route replace {address}/32 via {self.there}".split(), check=True)

    def command(self, *words: str) -> list[str]:
        """Return the command that runs another at the far end."""
        return ["ip", "netns", "exec", self.name, *words]

    def close(self) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        subprocess.run(["ip", "link", "del", f"{self.name}o"], check=False, stderr=subprocess.DEVNULL)
