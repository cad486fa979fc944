"""A stand-in for the outside: a network namespace with addresses of every kind, on which a server listens."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.wire import Wire

PORT = 7777
PUBLIC = "198.51.100.77"
LINK_LOCAL = "169.254.77.77"
PRIVATE = ("10.254.254.77", "172.30.254.77", "192.168.254.77", "100.64.254.77")
SERVE = f"import http.server; http.server.HTTPServer(('', {PORT}), http.server.BaseHTTPRequestHandler).serve_forever()"


class Neighbour:
    def __init__(self) -> None:
        self.wire = Wire("n", "10.254")

    def open(self) -> None:
        self.wire.open()
        for address in (PUBLIC, LINK_LOCAL, *PRIVATE):
            self.wire.lead(address)
        self.server = subprocess.Popen(self.wire.command(sys.executable, "-c", SERVE), stderr=subprocess.DEVNULL)

    def close(self) -> None:
        if hasattr(self, "server"):
            self.server.terminate()
            self.server.wait(10)
        self.wire.close()

    def reaches(self, address: str, port: int) -> bool:
        """Tell whether a connection from the neighbour to the address opens."""
        code = f"import socket; socket.create_connection(('{address}', {port}), 3)"
        command = self.wire.command(sys.executable, "-c", code)
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
