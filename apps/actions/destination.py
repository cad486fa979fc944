"""Leading routes to apps: mapping, unmapping and sharing requests out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps.actions.route import publish
from apps.models import App, Destination, Route
from paas.lib.errors import Unprocessable
from paas.lib.models import new_guid
from tenants.access import authorize

PORT = 8080  # what apps find in $PORT
SHARE = ("weight", "protocol")


@dataclass(frozen=True)
class End:
    """Where a route should lead; ``weight`` is its share of the requests in percent, or None for equal shares."""

    app: App
    process_type: str = "web"
    port: int = PORT
    weight: int | None = None
    protocol: str = "http1"

    @property
    def key(self) -> tuple[int, str, int]:
        return self.app.pk, self.process_type, self.port


def _key(row: Destination) -> tuple[int, str, int]:
    return row.app_id, row.process_type, row.port


@transaction.atomic
def add(actor: User, route: Route, *, ends: Collection[End]) -> Route:
    """Lead the route to more apps; where it leads already, nothing happens."""
    authorize(actor, "route.manage", route.space)
    route = Route.objects.lock(route.pk)
    _check(route, ends)
    there = list(route.destinations.all())
    if any(row.weight for row in there):
        raise Unprocessable("Destinations cannot be inserted when there are weighted destinations already configured.")
    known = {_key(row) for row in there}
    fresh = [end for end in ends if end.key not in known]
    for end in fresh:
        _map(actor, route, end)
    _settle(route, [end.app for end in fresh])
    return route


@transaction.atomic
def replace(actor: User, route: Route, *, ends: Collection[End]) -> Route:
    """Lead the route to these and nowhere else."""
    authorize(actor, "route.manage", route.space)
    route = Route.objects.lock(route.pk)
    _check(route, ends)
    there = {_key(row): row for row in route.destinations.select_related("app")}
    wanted = {end.key: end for end in ends}
    touched = []
    for key, row in there.items():
        end = wanted.get(key)
        if end is None:
            _unmap(actor, route, row)
            touched.append(row.app)
        elif (row.weight, row.protocol) != (end.weight, end.protocol):
            _share(actor, route, row, weight=end.weight, protocol=end.protocol)
            touched.append(row.app)
    for key, end in wanted.items():
        if key not in there:
            _map(actor, route, end)
            touched.append(end.app)
    _settle(route, touched)
    return route


@transaction.atomic
def change(actor: User, route: Route, *, guid: str, protocol: str) -> Destination:
    """Change what the router speaks to one destination."""
    authorize(actor, "route.manage", route.space)
    route = Route.objects.lock(route.pk)
    row = _found(route, guid)
    if row.protocol != protocol:
        _share(actor, route, row, weight=row.weight, protocol=protocol)
        _settle(route, [row.app])
    return row


@transaction.atomic
def remove(actor: User, route: Route, *, guid: str) -> None:
    """Lead the route no longer to one of its destinations."""
    authorize(actor, "route.manage", route.space)
    route = Route.objects.lock(route.pk)
    row = _found(route, guid)
    if row.weight:
        raise Unprocessable("Weighted destinations cannot be deleted individually.")
    _unmap(actor, route, row)
    _settle(route, [row.app])


def unmap_all(app: App, *, by: User) -> None:
    """Lead no route to the app any more; the routes stay."""
    rows = list(app.destinations.select_related("app__space__organization", "route__domain"))
    for row in rows:
        _unmap(by, row.route, row)
    if rows:
        publish([app])


def _check(route: Route, ends: Collection[End]) -> None:
    if any(end.app.space_id != route.space_id for end in ends):
        raise Unprocessable("Routes cannot be mapped to destinations in different spaces.")
    if len({end.key for end in ends}) < len(ends):
        raise Unprocessable("Destinations cannot contain duplicate entries")


def _found(route: Route, guid: str) -> Destination:
    row = route.destinations.select_related("app").filter(guid=guid).first()
    if row is None:
        raise Unprocessable(
            "Unable to unmap route from destination. Ensure the route has a destination with this guid."
        )
    return row


def _map(actor: User, route: Route, end: End) -> None:
    row = Destination.objects.create(
        guid=new_guid(),
        route=route,
        app=end.app,
        process_type=end.process_type,
        port=end.port,
        weight=end.weight,
        protocol=end.protocol,
    )
    audit.record(actor, "audit.app.map-route", end.app, **_said(route, row))


def _share(actor: User, route: Route, row: Destination, *, weight: int | None, protocol: str) -> None:
    """Change how many requests go there, and how they are spoken."""
    before = audit.state(row, SHARE)
    row.weight, row.protocol = weight, protocol
    row.save(update_fields=[*SHARE, "updated_at"])
    audit.record(
        actor, "audit.app.map-route", row.app, **_said(route, row), before=before, after=audit.state(row, SHARE)
    )


def _unmap(actor: User, route: Route, row: Destination) -> None:
    audit.record(actor, "audit.app.unmap-route", row.app, **_said(route, row))
    Destination.objects.filter(pk=row.pk).delete()


def _said(route: Route, row: Destination) -> dict[str, Any]:
    return {
        "route_guid": route.guid,
        "route_url": route.url,
        "destination_guid": row.guid,
        "process_type": row.process_type,
        "app_port": row.port,
        "weight": row.weight,
        "protocol": row.protocol,
    }


def _settle(route: Route, apps: Collection[App]) -> None:
    """Publish what changed, and show when the route did."""
    if apps:
        route.save(update_fields=["updated_at"])
        publish(sorted(set(apps), key=lambda app: app.pk))
