"""What the router needs to know beside the routes: where to listen, and where the console is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

ALIASES = ("api", "login", "uaa", "log-cache")


@dataclass(frozen=True)
class Listen:
    """One port for everything; with TLS, a second one may redirect plain requests to it."""

    port: int
    address: str = "0.0.0.0"  # noqa: S104 - a router is for everyone
    tls: Literal["off", "self-signed", "files"] = "off"
    certificate: Path | None = None  # a PEM chain and its key, for tls="files"
    key: Path | None = None
    redirect_port: int | None = None


@dataclass(frozen=True)
class Console:
    """The platform's own site: its domain with the usual aliases, served on a loopback port."""

    domain: str
    apps_domain: str
    port: int

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.domain, *(f"{alias}.{self.domain}" for alias in ALIASES))


@dataclass(frozen=True)
class Front:
    listen: Listen
    console: Console

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), default=str, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Front:
        data: dict[str, Any] = json.loads(content)
        listen = data["listen"]
        for name in ("certificate", "key"):
            listen[name] = listen[name] and Path(listen[name])
        return cls(listen=Listen(**listen), console=Console(**data["console"]))
