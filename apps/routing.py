"""The full routing table, from rows to the router."""

from __future__ import annotations

from collections import defaultdict

from django.db import connection
from django.db.models import F, Q

from apps.models import Destination, Instance, Route
from apps.outside import router
from paas.seams.routers import base


def _instances() -> dict[tuple[str, str], list[tuple[str, int, str]]]:
    """The ready instances that may get requests, by (app guid, process type): those of the version that serves.

    Each as guid, index and address. Columns and no models here and below: of thousands of apps, those would bring
    every environment along and decrypt it.
    """
    serves = Q(deployment=F("app__serving")) | Q(app__serving=None, deployment=F("app__target"))
    found: dict[tuple[str, str], list[tuple[str, int, str]]] = defaultdict(list)
    rows = Instance.objects.filter(serves, ready=True).order_by("process_type", "index")
    for app, kind, *instance in rows.values_list("app__guid", "process_type", "guid", "index", "address"):
        found[app, kind].append((instance[0], instance[1], instance[2]))
    return found


def table(version: int) -> base.Routes:
    """Everything that should be served now, read in three queries."""
    instances = _instances()
    targets: dict[int, list[base.Target]] = defaultdict(list)
    ends = Destination.objects.order_by("id").values_list("route", "app__guid", "process_type", "port", "weight")
    for pk, app, kind, port, weight in ends:
        ready = tuple(base.Endpoint(*instance, port) for instance in instances.get((app, kind), []))
        targets[pk].append(base.Target(app=app, weight=weight or 1, endpoints=ready))
    claimed: dict[tuple[str, str], base.Route] = {}
    rows = Route.objects.filter(pk__in=list(targets)).select_related("domain").order_by("pk")
    for route in rows.only("guid", "host", "path", "options", "domain__name"):
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
