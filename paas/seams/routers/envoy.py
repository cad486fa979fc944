"""The router on Envoy: full state in files that are renamed into place, each waited for until it is in force.

Clusters go before the routes that need them, and leave after the routes that did, so that no request falls
between. What is in force is also on disk: Envoy starts and serves with nobody there to tell it anything.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from paas.seams.routers import xds
from paas.seams.routers.base import Endpoint, Route, Router, RouterRefused, Routes, Target
from paas.seams.routers.delivery import Delivery, document
from paas.seams.routers.folder import Folder, replace
from paas.seams.routers.front import Front
from paas.seams.routers.rules import check

log = logging.getLogger(__name__)


class EnvoyRouter(Router):
    """The Envoy whose files are under ``<state>/router``, in any number of processes at once."""

    def __init__(self, state: Path) -> None:
        self._folder = Folder.of(state)

    def publish(self, routes: Routes) -> None:
        """Put the routes in force; with no Envoy running, write what it will start from.

        A route on one of the console's own hosts is left out: that one row must not keep every
        other app from being deployed.
        """
        check(routes)
        if not self._folder.front.exists():
            raise RouterRefused("The router was never set up; `make run` does it.")
        with self._folder.locked():
            front = Front.from_json(self._folder.front.read_bytes())
            before = routes_in_force(self._folder)
            if routes.version < before.version:
                return
            delivery = Delivery(self._folder)
            try:
                deliver_routes(delivery, routes, front, before=before)
            except RouterRefused:
                deliver_routes(delivery, before, front)
                raise
            replace(self._folder.routes, json.dumps(vars(routes), default=vars, separators=(",", ":")).encode())

    def version(self) -> int:
        return routes_in_force(self._folder).version


def routes_in_force(folder: Folder) -> Routes:
    """Return what was last published, version 0 without routes where nothing was."""
    if not folder.routes.exists():
        return Routes(version=0, routes=())
    data = json.loads(folder.routes.read_bytes())
    return Routes(version=data["version"], routes=tuple(_route(route) for route in data["routes"]))


def deliver_routes(delivery: Delivery, routes: Routes, front: Front, *, before: Routes | None = None) -> None:
    """Deliver clusters and routes; those ``before`` keep their clusters until no route leads there."""
    wanted = _without_console(routes, front)
    clusters = xds.clusters(wanted, front.console)
    kept = {route.guid for route in wanted}
    leaving = [route for route in before.routes if route.guid not in kept] if before else []
    pending = delivery.put("cds", document(clusters + xds.clusters(leaving, front.console)[1:]))
    configuration = document([xds.route_configuration(wanted, front.console)])  # while Envoy reads the clusters
    delivery.wait(pending)
    delivery.deliver("rds", configuration)
    if leaving:
        delivery.put("cds", document(clusters))  # nobody can notice when they are gone


def _without_console(routes: Routes, front: Front) -> list[Route]:
    for route in routes.routes:
        if route.host in front.console.hosts:
            log.warning("Route %s is not served: %s is the console's.", route.guid, route.host)
    return [route for route in routes.routes if route.host not in front.console.hosts]


def _route(data: dict[str, Any]) -> Route:
    targets = tuple(
        Target(
            app=target["app"],
            weight=target["weight"],
            endpoints=tuple(Endpoint(**endpoint) for endpoint in target["endpoints"]),
        )
        for target in data["targets"]
    )
    return changed(Route(**{**data, "targets": ()}), targets=targets)
