"""What every router refuses before it looks at a state any closer."""

from __future__ import annotations

import re

from paas.seams.routers.base import Route, RouterRefused, Routes

_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_PATH = re.compile(r"(/[^/?#\s]+)*")
_BALANCING = ("round-robin", "least-connection")


def check(routes: Routes) -> None:
    """Raise ``RouterRefused`` when a host or path is malformed, or two routes claim the same one."""
    owners: dict[tuple[str, str], str] = {}
    for route in routes.routes:
        _check_one(route)
        other = owners.setdefault((route.host, route.path), route.guid)
        if other != route.guid:
            raise RouterRefused(f"Routes {other} and {route.guid} both claim {route.host}{route.path}.")


def _check_one(route: Route) -> None:
    if not _HOST.fullmatch(route.host):
        raise RouterRefused(f"Route {route.guid} has the host {route.host!r}, which is not one in lower case.")
    if not _PATH.fullmatch(route.path):
        raise RouterRefused(f"Route {route.guid} has the path {route.path!r}; it must be empty or like /this/one.")
    if route.balancing not in _BALANCING:
        raise RouterRefused(f"Route {route.guid} asks for {route.balancing!r}; there are: {', '.join(_BALANCING)}.")
    if any(target.weight < 0 for target in route.targets):
        raise RouterRefused(f"Route {route.guid} has a target with a negative weight.")
