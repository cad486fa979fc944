"""A router in memory, for tests of what stands before it: it picks instances and sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from ipaddress import ip_address

from paas.seams.routers.base import Endpoint, Route, Router, RouterRefused, Routes
from paas.seams.routers.rules import check
from paas.seams.routers.shares import shares


class FakeRouter(Router):
    def __init__(self, *, console_hosts: Collection[str] = ()) -> None:
        self.routes: dict[tuple[str, str], Route] = {}
        self._console_hosts = console_hosts
        self._version = 0
        self._sent: Counter[tuple[str, str]] = Counter()

    def publish(self, routes: Routes) -> None:
        check(routes)
        _check_addresses(routes)
        if routes.version < self._version:
            return
        self._version = routes.version
        self.routes = {
            (route.host, route.path): route for route in routes.routes if route.host not in self._console_hosts
        }

    def version(self) -> int:
        return self._version

    def find(self, host: str, path: str = "/") -> Route | None:
        """Return the route that a request takes: the exact host first, then wildcards; the longest path first."""
        name = host.lower().partition(":")[0].removesuffix(".")
        while name and name not in self._console_hosts:
            if route := self._longest(name, path):
                return route
            rest = name.removeprefix("*.").partition(".")[2]
            name = f"*.{rest}" if rest else ""
        return None

    def pick(self, route: Route) -> Endpoint | None:
        """Return the instance whose turn it is, None where none is ready."""
        found = shares(route)
        if not found:
            return None
        chosen = min(found, key=lambda share: self._sent[route.guid, share.endpoint.instance] / share.weight)
        self._sent[route.guid, chosen.endpoint.instance] += 1
        return chosen.endpoint

    def _longest(self, host: str, path: str) -> Route | None:
        candidates = [route for (other, _), route in self.routes.items() if other == host]
        fitting = [route for route in candidates if f"{path}/".startswith(f"{route.path}/")]
        return max(fitting, key=lambda route: len(route.path), default=None)


def _check_addresses(routes: Routes) -> None:
    for route in routes.routes:
        for share in shares(route):
            try:
                ip_address(share.endpoint.address)
            except ValueError as error:
                raise RouterRefused(f"Route {route.guid} has a malformed address: {error}.") from error
