"""The router's contract: it is given the full state, never an increment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """One ready instance."""

    instance: str
    index: int
    address: str
    port: int


@dataclass(frozen=True)
class Target:
    """An app behind a route, with its share of the requests and the instances that can answer now."""

    app: str  # guid
    weight: int
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Route:
    """A host (in full, lower case; ``*.`` in front is a wildcard) and a path ("" or "/like/this")."""

    guid: str
    host: str
    path: str
    targets: tuple[Target, ...]
    balancing: str = "round-robin"  # or "least-connection"


@dataclass(frozen=True)
class Routes:
    """Everything the router should serve. ``version`` only grows; an older one is ignored."""

    version: int
    routes: tuple[Route, ...]


class Router(ABC):
    @abstractmethod
    def publish(self, routes: Routes) -> None:
        """Make the router serve exactly this; returns when it is in force, raises ``RouterRefused``."""

    @abstractmethod
    def version(self) -> int:
        """Return the version in force, 0 where nothing was ever published."""


class RouterRefused(Exception):
    """The router did not take the state; the one before it is still in force."""
