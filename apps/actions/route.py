"""Reserving routes, changing them, moving them to another space and giving them up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.models import Job, User
from apps.models import App, Domain, Route
from paas.lib.errors import PaasError, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize, may
from tenants.flags import require_flag
from tenants.models import Space

HOST = re.compile(r"[A-Za-z0-9_-]+|\*|")
PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)+")
TOLD = ("url", "options")
LONGEST_HOST, LONGEST_PATH, LONGEST_NAME = 63, 128, 253


@transaction.atomic
def create(
    actor: User,
    space: Space,
    *,
    domain: Domain,
    host: str = "",
    path: str = "",
    options: dict[str, str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Route:
    """Reserve a host and path on a domain for a space; the route leads nowhere yet."""
    authorize(actor, "route.manage", space)
    require_flag("route_creation", actor)
    check_host(host)
    check_path(path)
    route = Route(space=space, domain=domain, host=host.lower(), path=path, options=options or {})
    for name, value in merged(None, metadata or {}).items():
        setattr(route, name, value)
    quotas.take(space, routes=1)
    _check_domain(actor, route)
    try:
        with transaction.atomic():
            route.save()
    except IntegrityError as error:
        raise in_the_way(route) or error from error
    audit.record(actor, "audit.route.create", route, after=audit.state(route, TOLD))
    return route


@transaction.atomic
def update(
    actor: User, route: Route, *, options: dict[str, str | None] | None = None, metadata: dict[str, Any] | None = None
) -> Route:
    """Merge options (null removes one) and metadata into the route's own."""
    authorize(actor, "route.manage", route.space)
    route = Route.objects.lock(route.pk)
    before = audit.state(route, ("options",))
    route.options = {name: value for name, value in {**route.options, **(options or {})}.items() if value is not None}
    for name, value in merged(route, metadata or {}).items():
        setattr(route, name, value)
    route.save(update_fields=["options", "labels", "annotations", "updated_at"])
    if route.options != before["options"]:
        publish(apps_behind([route]))
    audit.record(actor, "audit.route.update", route, before=before, after=audit.state(route, ("options",)))
    return route


@transaction.atomic
def move(actor: User, route: Route, *, space: Space) -> Route:
    """Give a route that leads nowhere to another space."""
    authorize(actor, "route.move", route.space)
    authorize(actor, "route.move", space)
    route = Route.objects.lock(route.pk)
    before = route.space
    if before.pk == space.pk:
        return route
    if route.destinations.exists():
        raise Unprocessable(
            f"Unable to transfer owner of route '{route.url}' to space '{space.name}'. "
            "The route leads to apps of its own space; unmap them first."
        )
    route.space = space
    quotas.give(before, routes=1)
    quotas.take(space, routes=1)
    _check_domain(actor, route)
    route.save(update_fields=["space", "updated_at"])
    audit.record(
        actor, "audit.route.transfer-owner", route, from_space=before.guid, to_space=space.guid,
        before={"space": before.name}, after={"space": space.name},
    )  # fmt: skip
    return route


@transaction.atomic
def delete(actor: User, route: Route) -> Job:
    """Delete the route; the apps that it led to run on."""
    authorize(actor, "route.manage", route.space)
    remove(Route.objects.filter(pk=route.pk), by=actor)
    return Job.objects.create(owner=actor, operation="route.delete", state=Job.State.COMPLETE, resource_guid=route.guid)


@transaction.atomic
def delete_unmapped(actor: User, space: Space) -> Job:
    """Delete every route of the space that leads nowhere."""
    authorize(actor, "route.manage", space)
    remove(Route.objects.filter(space=space, destinations=None), by=actor)
    return Job.objects.create(
        owner=actor, operation="space.delete_unmapped_routes", state=Job.State.COMPLETE, resource_guid=space.guid
    )


def remove(rows: QuerySet[Route], *, by: User) -> None:
    """Take routes away, give their quota back, and have the router forget those that led somewhere."""
    routes = list(rows.select_related("domain", "space__organization").order_by("space__organization", "space", "pk"))
    behind = apps_behind(routes)
    for route in routes:
        audit.record(by, "audit.route.delete-request", route, before=audit.state(route, TOLD))
    publish(behind)
    for space, count in Counter(route.space for route in routes).items():
        quotas.give(space, routes=count)
    Route.objects.filter(pk__in=[route.pk for route in routes]).delete()


def apps_behind(routes: Iterable[Route]) -> list[App]:
    """The apps that the routes lead to, each once."""
    return list(App.objects.filter(destinations__route__in=list(routes)).distinct("pk").order_by("pk"))


def publish(apps: Iterable[App]) -> None:
    """Have the router told: where requests go is a part of what is wished for an app."""
    for app in apps:
        app.wish()
        later("apps.jobs.converge", app.pk)


def check_host(host: str) -> None:
    if len(host) > LONGEST_HOST:
        raise Unprocessable(f"Host is too long (maximum is {LONGEST_HOST} characters)")
    if not HOST.fullmatch(host):
        raise Unprocessable('Host must be either "*" or contain only alphanumeric characters, "_", or "-"')
    if host.startswith("-") or host.endswith("-"):
        raise Unprocessable('Host must not begin or end with "-"')


def check_path(path: str) -> None:
    if not path:
        return
    if len(path) > LONGEST_PATH:
        raise Unprocessable(f"Path is too long (maximum is {LONGEST_PATH} characters)")
    if not path.startswith("/"):
        raise Unprocessable("Path must begin with /")
    if path == "/":
        raise Unprocessable("Path cannot be exactly /")
    if "?" in path:
        raise Unprocessable("Path cannot contain ?")
    if not PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise Unprocessable("Path is invalid. It must be like /this/one, without an empty part, a space or a fragment.")


def _check_domain(actor: User, route: Route) -> None:
    """Raise unless the route's space may have the host and path on that domain."""
    domain, organization = route.domain, route.space.organization
    if not Domain.objects.usable_in(organization).filter(pk=domain.pk).exists():
        raise Unprocessable(
            f"Invalid domain. Domain '{domain.name}' is not available in organization '{organization.name}'."
        )
    if domain.organization_id is None and not route.host:
        raise Unprocessable("Missing host. Routes in shared domains must have a host defined.")
    if domain.organization_id is None and route.host == "*" and not may(actor, "platform.manage"):
        raise Unprocessable(
            "You do not have sufficient permissions to create a route with a wildcard host on a domain "
            "not scoped to an organization."
        )
    if len(route.fqdn) > LONGEST_NAME:
        raise Unprocessable("Host combined with domain name must be no more than 253 characters.")
    if route.host and Domain.objects.filter(name=route.fqdn).exists():
        raise Unprocessable(f"Route conflicts with domain '{route.fqdn}'.")
    _wait_for_host(route)
    if problem := in_the_way(route):
        raise problem


def _wait_for_host(route: Route) -> None:
    """Let one transaction at a time look for a host and take it: of paths below one host, no index tells whose they are."""
    with connection.cursor() as cursor:
        host = f"route {route.domain_id} {route.host}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [host])


def in_the_way(route: Route) -> PaasError | None:
    """Return why the space cannot have the route, if somebody has it; never whose it is.

    Where several organizations share a domain, a host belongs to one space whatever the path.
    """
    same_host = Route.objects.filter(domain=route.domain, host=route.host).exclude(pk=route.pk)
    if same_host.filter(path=route.path, space=route.space_id).exists():
        with_host = f" with host '{route.host}'" if route.host else ""
        joint = " and" if route.host else " with"
        with_path = f"{joint} path '{route.path}'" if route.path else ""
        return Unprocessable(f"Route already exists{with_host}{with_path} for domain '{route.domain.name}'.")
    others = same_host.exclude(space=route.space_id)
    if route.domain.organization_id is not None:
        others = others.filter(Q(path=route.path) | ~Q(space__organization=route.space.organization_id))
    return Unprocessable(f"The route {route.fqdn}{route.path} is already in use.") if others.exists() else None
