"""What a manifest wants, once it has been checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class WantedProcess:
    """``size`` and ``run`` hold only the columns that the manifest names."""

    type: str
    size: dict[str, int]  # instances, memory_mb, disk_mb, log_rate
    run: dict[str, Any]  # command, health check, readiness check


@dataclass(frozen=True)
class WantedSidecar:
    name: str
    command: str
    process_types: list[str]
    memory_mb: int | None = None


@dataclass(frozen=True)
class WantedService:
    """A service instance to be bound; what is bound already stays as it is."""

    name: str
    binding_name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class WantedRoute:
    """A route by its address; which part of ``name`` is the domain shows when it is looked for."""

    text: str
    name: str
    path: str
    options: dict[str, str | None] = field(default_factory=dict)

    @property
    def candidates(self) -> list[tuple[str, str]]:
        """The pairs of host and domain that it may be, best first."""
        host, _, rest = self.name.partition(".")
        return [("*", rest)] if host == "*" else [("", self.name), (host, rest)]


@dataclass(frozen=True)
class WantedApp:
    """None, and False of the route switches, is what the manifest does not speak of."""

    name: str
    lifecycle: str | None = None
    buildpacks: list[str] | None = None
    stack: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    features: dict[str, bool] = field(default_factory=dict)
    processes: tuple[WantedProcess, ...] = ()
    sidecars: tuple[WantedSidecar, ...] = ()
    services: tuple[WantedService, ...] = ()
    routes: tuple[WantedRoute, ...] | None = None
    no_route: bool = False
    random_route: bool = False
    default_route: bool = False
