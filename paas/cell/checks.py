"""One health check of one instance, which may take its time, and no more than that however slowly it is answered."""

from __future__ import annotations

import socket
import time
from urllib.parse import quote

from .instance import Check, Instance
from .processes import alive

LONGEST = 30.0  # seconds of one check, whatever was asked for
LONGEST_LINE = 4096  # bytes
AS_IT_IS = "/?&=:;,@!$'()*+~%[]"  # of a path: the rest is escaped, line ends too


def passes(check: Check, instance: Instance) -> str:
    """Return "" when the instance answers as it should, else what was wrong with it."""
    if check.type == "port":
        return _port(check, instance.address)
    if check.type == "http":
        return _http(check, instance.address)
    return "" if alive(instance.pid, instance.container) else "Its process has ended."


def _port(check: Check, address: str) -> str:
    try:
        with socket.create_connection((address, check.port), timeout=_patience(check)):
            return ""
    except OSError as error:
        return f"Failed to make TCP connection to port {check.port}: {_words(error)}"


def _http(check: Check, address: str) -> str:
    until = time.monotonic() + _patience(check)
    asked = f"GET {quote(check.endpoint, safe=AS_IT_IS)} HTTP/1.1\r\nHost: {address}:{check.port}\r\n"
    try:
        with socket.create_connection((address, check.port), timeout=_patience(check)) as connection:
            connection.sendall(f"{asked}User-Agent: paas-healthcheck\r\nConnection: close\r\n\r\n".encode())
            status = _status(connection, until)
    except (OSError, ValueError) as error:
        return f"Failed to make HTTP request to '{check.endpoint}' on port {check.port}: {_words(error)}"
    if status == 200:
        return ""
    return f"Failed to make HTTP request to '{check.endpoint}' on port {check.port}: received status code {status}"


def _status(connection: socket.socket, until: float) -> int:
    """Read the answer's first line; raise ``OSError`` where it does not come in time, ``ValueError`` for what is none."""
    answer = b""
    while b"\n" not in answer and len(answer) < LONGEST_LINE:
        connection.settimeout(max(until - time.monotonic(), 0.001))
        chunk = connection.recv(LONGEST_LINE)
        if not chunk:
            break
        answer += chunk
    words = answer.partition(b"\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("the answer is not HTTP" if answer else "the connection was closed without an answer")
    return int(words[1])


def _patience(check: Check) -> float:
    return min(float(check.invocation_timeout), LONGEST)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
