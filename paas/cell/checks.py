"""One health check of one instance."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException

from .instance import Check, Instance
from .processes import alive


def passes(check: Check, instance: Instance) -> str:
    """Return "" when the instance answers as it should, else what was wrong with it."""
    if check.type == "port":
        return _port(check, instance.address)
    if check.type == "http":
        return _http(check, instance.address)
    return "" if alive(instance.pid, instance.container) else "Its process has ended."


def _port(check: Check, address: str) -> str:
    try:
        with socket.create_connection((address, check.port), timeout=check.invocation_timeout):
            return ""
    except OSError as error:
        return f"Failed to make TCP connection to port {check.port}: {_words(error)}"


def _http(check: Check, address: str) -> str:
    connection = HTTPConnection(address, check.port, timeout=check.invocation_timeout)
    try:
        connection.request("GET", check.endpoint, headers={"User-Agent": "paas-healthcheck", "Connection": "close"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"Failed to make HTTP request to '{check.endpoint}' on port {check.port}: {_words(error)}"
    finally:
        connection.close()
    if status == 200:
        return ""
    return f"Failed to make HTTP request to '{check.endpoint}' on port {check.port}: received status code {status}"


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
