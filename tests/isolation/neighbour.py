"""A stand-in for the outside: a network namespace with addresses of every kind, on which a server listens."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

PORT = 7777
PUBLIC = "198.51.100.77"
LINK_LOCAL = "169.254.77.77"
PRIVATE = ("10.254.254.77", "172.30.254.77", "192.168.254.77", "100.64.254.77")
SERVE = f"import http.server; http.server.HTTPServer(('', {PORT}), http.server.BaseHTTPRequestHandler).serve_forever()"


class Neighbour:
    def __init__(self) -> None:
        self.name = f"n{secrets.token_hex(3)}"
        last = 4 * secrets.randbelow(60)  # one that a run before has left behind has another wire
        self.link, self.there = (f"10.254.253.{last + each}" for each in (1, 2))
        self.addresses = (PUBLIC, LINK_LOCAL, *PRIVATE)

    def open(self) -> None:
        inside, outside = f"{self.name}i", f"{self.name}o"
        for command in (
            f"ip netns add {self.name}",
            f"ip link add {outside} type veth peer name {inside} netns {self.name}",
            f"ip addr add {self.link}/30 dev {outside}",
            f"ip link set {outside} up",
            f"ip -n {self.name} addr add {self.there}/30 dev {inside}",
            f"ip -n {self.name} link set {inside} up",
            f"ip -n {self.name} link set lo up",
            f"ip -n {self.name} route add default via {self.link}",
        ):
            subprocess.run(command.split(), check=True)
        for address in self.addresses:
            subprocess.run(f"ip -n {self.name} addr add {address}/32 dev lo".split(), check=True)
            subprocess.run(f"ip route replace {address}/32 via {self.there}".split(), check=True)
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-c", SERVE], stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        if hasattr(self, "server"):
            self.server.terminate()
            self.server.wait(10)
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        subprocess.run(["ip", "link", "del", f"{self.name}o"], check=False, stderr=subprocess.DEVNULL)

    def reaches(self, address: str, port: int) -> bool:
        """Tell whether a connection from the neighbour to the address opens."""
        code = f"import socket; socket.create_connection(('{address}', {port}), 3)"
        command = ["ip", "netns", "exec", self.name, sys.executable, "-c", code]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def reached_from_here(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 5):
            return True
    except OSError:
        return False


@contextmanager
def listening(address: str = "0.0.0.0", port: int = 0) -> Iterator[int]:
    """Listen on the machine itself, and give the port."""
    with closing(socket.create_server((address, port))) as server:
        yield server.getsockname()[1]
