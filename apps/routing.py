"""The full routing table, from rows to the router."""

from __future__ import annotations

from collections import defaultdict

from django.db import connection
from django.db.models import F, Q

from apps.models import Destination, Instance, Route
from apps.outside import router
from paas.seams.routers import base


def _endpoints() -> dict[tuple[str, str], list[tuple[Instance, str]]]:
    """The ready instances that may get requests, by (app guid, process type): those of the version that serves."""
    serves = Q(deployment=F("app__serving")) | Q(app__serving=None, deployment=F("app__target"))
    found: dict[tuple[str, str], list[tuple[Instance, str]]] = defaultdict(list)
    rows = Instance.objects.filter(serves, ready=True).select_related("app").order_by("process_type", "index")
    for row in rows:
        found[row.app.guid, row.process_type].append((row, row.app.guid))
    return found


def table(version: int) -> base.Routes:
    """Everything that should be served now, read in three queries."""
    endpoints = _endpoints()
    targets: dict[int, list[base.Target]] = defaultdict(list)
    for destination in Destination.objects.select_related("app").order_by("id"):
        ready = endpoints.get((destination.app.guid, destination.process_type), [])
        targets[destination.route_id].append(
            base.Target(
                app=destination.app.guid,
                weight=destination.weight or 1,
                endpoints=tuple(base.Endpoint(i.guid, i.index, i.address, destination.port) for i, _ in ready),
            )
        )
    claimed: dict[tuple[str, str], base.Route] = {}
    for route in Route.objects.filter(pk__in=list(targets)).select_related("domain").order_by("pk"):
        host = route.fqdn.lower()
        claimed.setdefault(  # of two that came to one address at the same moment, the older one has it
            (host, route.path),
            base.Route(
                guid=route.guid,
                host=host,
                path=route.path,
                targets=tuple(targets[route.pk]),
                balancing=route.options.get("loadbalancing", "round-robin"),
            ),
        )
    return base.Routes(version, tuple(claimed.values()))


def publish() -> int:
    """Give the router the table as it is committed now, and wait until it is in force.

    The version is taken before the rows are read: of two that run at once, the one whose rows could be older has the
    lower number and is ignored, and whoever committed in between publishes again with a higher one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('apps_router_version')")
        version = cursor.fetchone()[0]
    router().publish(table(version))
    return version
