"""Talks to a running Envoy through its admin socket, which no container and no network can reach."""

from __future__ import annotations

import re
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote


class EnvoyDown(Exception):
    """No Envoy answers on the admin socket."""


class _Connection(HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("admin", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Admin:
    def __init__(self, path: Path, *, timeout: float = 5.0) -> None:
        self._path = path
        self._timeout = timeout

    def stats(self, pattern: str) -> dict[str, str]:
        """Return the statistics whose name matches the regular expression; raise ``EnvoyDown``."""
        lines = self._ask("GET", f"/stats?filter={quote(pattern)}").splitlines()
        pairs = (line.partition(": ") for line in lines)
        return {name: value.strip('"') for name, _, value in pairs}

    def is_up(self) -> bool:
        try:
            self._ask("GET", "/server_info")
        except EnvoyDown:
            return False
        return True

    def reopen_logs(self) -> None:
        """Make Envoy open its log files anew, after they were renamed."""
        self._ask("POST", "/reopen_logs")

    def _ask(self, method: str, path: str) -> str:
        connection = _Connection(self._path, self._timeout)
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode()
        except (OSError, HTTPException) as error:
            raise EnvoyDown(f"Nothing answers on {self._path}: {error}") from error
        finally:
            connection.close()


def exactly(name: str) -> str:
    """Return a pattern that matches this statistic alone."""
    return f"^{re.escape(name)}$"
