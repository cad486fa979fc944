"""The engine's HTTP interface over its unix socket, with the standard library alone to stay small in memory."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode


class EngineAway(Exception):
    """The engine does not answer: it is stopped, or being started again."""


class EngineRefused(Exception):
    """The engine answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"The engine answered {status}: {message}")


class _Connection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    def __init__(self, path: str) -> None:
        self.path = path

    def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None, timeout: float = 30
    ) -> Any:
        """Return the decoded answer, None where it is empty; raise ``EngineAway`` or ``EngineRefused``."""
        connection = _Connection(self.path, timeout)
        try:
            answer = self._send(connection, method, path, query, body)
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise EngineAway(f"The container engine at {self.path} does not answer ({error}).") from error
        finally:
            connection.close()
        return json.loads(content) if content.strip() else None

    def containers(self, install: str) -> list[dict[str, Any]]:
        """List the install's containers, also those that do not run."""
        filters = json.dumps({"label": [f"paas.install={install}"]})
        found: list[dict[str, Any]] = self.call("GET", "/containers/json", query={"all": 1, "filters": filters})
        return found

    def inspect(self, container: str) -> dict[str, Any] | None:
        """Return what the engine knows of a container (by id or name), None where it is gone."""
        try:
            found: dict[str, Any] = self.call("GET", f"/containers/{quote(container)}/json")
        except EngineRefused as error:
            if error.status == 404:
                return None
            raise
        return found

    def events(self, install: str, *, since: int, until: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield container events after ``since`` (nanoseconds) until ``until``, or until the engine goes away."""
        query = {
            "since": _seconds(since),
            "filters": json.dumps({"type": ["container"], "label": [f"paas.install={install}"]}),
        }
        if until is not None:
            query["until"] = _seconds(until)
        # A stream that is silent for two minutes is asked for anew, so that a dead one is noticed.
        connection = _Connection(self.path, 120)
        try:
            answer = self._send(connection, "GET", "/events", query, None)
            while line := answer.readline():
                yield json.loads(line)
        except (OSError, HTTPException, ValueError) as error:
            raise EngineAway(f"The event stream of {self.path} ended ({error}).") from error
        finally:
            connection.close()

    def _send(
        self, connection: _Connection, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> HTTPResponse:
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body)
        connection.request(method, target, content, {"Content-Type": "application/json"} if content else {})
        answer = connection.getresponse()
        if answer.status >= 400:
            text = answer.read().decode(errors="replace").strip()
            raise EngineRefused(answer.status, json.loads(text).get("message", text) if text.startswith("{") else text)
        return answer


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def post_over(path: Path, target: str) -> None:
    """Post nothing to a path of another server on a unix socket; raise ``EngineAway`` or ``EngineRefused``."""
    Engine(str(path)).call("POST", target)
