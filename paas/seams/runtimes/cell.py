"""Talks to the agent of this machine over its unix socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from paas.lib.errors import ServiceUnavailable, Unprocessable

TIMEOUT = 30.0
UNPACK_TIMEOUT = 600.0
MARGIN = 90.0  # beyond the grace, for stopping several instances and storing their last lines


class Cell:
    def __init__(self, path: Path) -> None:
        self.path = path

    def create_disk(
        self,
        guid: str,
        *,
        app: str,
        size_mb: int,
        droplet: Path | None = None,
        digest: str = "",
        volumes: int = 0,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        """Return where on the machine it is mounted: a folder with ``home``, ``volume-0``, ``volume-1``... and ``files``."""
        body = {"app": app, "size_mb": size_mb, "droplet": str(droplet or ""), "digest": digest, "volumes": volumes}
        body["files"] = dict(files or {})
        return Path(self._ask("PUT", f"/disks/{quote(guid)}", body=body, timeout=UNPACK_TIMEOUT)["mounted"])

    def create_volume(self, name: str, *, app: str, size_mb: int, reserved: bool = True) -> Path:
        """Return where on the machine it is mounted: a folder with ``data``."""
        body = {"app": app, "size_mb": size_mb, "reserved": reserved}
        return Path(self._ask("PUT", f"/volumes/{quote(name)}", body=body, timeout=UNPACK_TIMEOUT)["mounted"])

    def volumes(self) -> list[str]:
        """Return the apps that have some."""
        found: list[str] = self._ask("GET", "/volumes")
        return found

    def open_ways(self, guid: str, *, address: str, reaches: Sequence[tuple[str, int, str]]) -> None:
        self._ask("PUT", f"/instances/{quote(guid)}/reaches", body={"address": address, "reaches": reaches})

    def prune(self, app: str, *, keep: Sequence[str], grace: int) -> None:
        self._ask("POST", f"/apps/{quote(app)}/prune", body={"keep": keep, "grace": grace}, timeout=grace + MARGIN)

    def observations(self, apps: Sequence[str] | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "/observations", query=[("app", app) for app in apps or ()])
        return found

    def happenings(self, after: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "/happenings", query=[("after", after)])
        return found

    def write_log(self, source: str, lines: Sequence[Sequence[Any]]) -> None:
        self._ask("POST", f"/logs/{quote(source)}", body={"lines": lines})

    def read_log(self, source: str, query: Sequence[tuple[str, Any]]) -> list[list[Any]]:
        found: list[list[Any]] = self._ask("GET", f"/logs/{quote(source)}", query=query)
        return found

    def forget(self, app: str) -> None:
        self._ask("DELETE", f"/apps/{quote(app)}")

    def health(self) -> dict[str, Any]:
        """Return the agent's own condition, with its ``problems`` as sentences."""
        told: dict[str, Any] = self._ask("GET", "/health")
        return told

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, Any]] = (),
        body: Any = None,
        timeout: float = TIMEOUT,
    ) -> Any:
        connection = _Connection(self.path, timeout)
        try:
            target = f"{path}?{urlencode(query)}" if query else path
            connection.request(method, target, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            status, content = answer.status, json.loads(answer.read())
        except (OSError, HTTPException) as error:
            raise ServiceUnavailable(
                f"The agent of the machine that runs the apps does not answer ({error}). Try again in a minute."
            ) from error
        finally:
            connection.close()
        if status == 200:
            return content
        if status == 422:
            raise Unprocessable(content["message"])
        if status >= 503:
            raise ServiceUnavailable(f"The machine that runs the apps cannot do this now. {content['message']}")
        raise ValueError(f"The agent refused {method} {path}: {content['message']}")


class _Connection(HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("cell", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))
