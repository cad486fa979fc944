"""Gives an app the routes that its manifest wants."""

from __future__ import annotations

import random

from accounts.models import User
from apps.actions import destination as destinations
from apps.actions import route as routes
from apps.actions.domain import default_of
from apps.actions.manifest.wanted import WantedApp, WantedRoute
from apps.actions.manifest.words import ADJECTIVES, NOUNS
from apps.models import App, Domain, Route
from paas.lib.errors import PaasError, Unprocessable

TRIES = 20


def apply(app: App, wanted: WantedApp, *, by: User) -> None:
    """Precedence: no route at all, the routes listed, then a made-up or the usual one where there is none yet."""
    if wanted.no_route:
        destinations.unmap_all(app, by=by)
    elif wanted.routes:
        for route in wanted.routes:
            _lead(by, app, route)
    elif (wanted.random_route or wanted.default_route) and not app.destinations.exists():
        domain = default_of(app.space.organization)
        if domain is None:
            raise Unprocessable("No default domains available")
        host = _random_host(app, domain) if wanted.random_route else _own_host(app)
        name = f"{host}.{domain.name}"
        _lead(by, app, WantedRoute(name, name, ""))


def _lead(actor: User, app: App, wanted: WantedRoute) -> None:
    try:
        route = _found(actor, app, wanted)
        if not route.destinations.filter(app=app, process_type="web").exists():
            destinations.add(actor, route, ends=[destinations.End(app)])
    except PaasError as error:
        error.detail = f"For route '{wanted.text}': {error.detail}"
        raise


def _found(actor: User, app: App, wanted: WantedRoute) -> Route:
    """Return the route of the space, reserving it if nobody has it."""
    named = Domain.objects.usable_in(app.space.organization).filter(name__in=[name for _, name in wanted.candidates])
    usable = {domain.name: domain for domain in named}
    pairs = [(host, usable[name]) for host, name in wanted.candidates if name in usable]
    if not pairs:
        raise Unprocessable(f"No domains exist for route {wanted.text}")
    host, domain = pairs[0]
    options = {name: value for name, value in wanted.options.items() if value is not None}
    there = Route.objects.filter(domain=domain, host=host, path=wanted.path, space=app.space).first()
    if there is None:
        return routes.create(actor, app.space, domain=domain, host=host, path=wanted.path, options=options)
    if any(there.options.get(name) != value for name, value in wanted.options.items()):
        return routes.update(actor, there, options=wanted.options)
    return there


def _own_host(app: App) -> str:
    try:
        routes.check_host(app.name)
    except Unprocessable as error:
        raise Unprocessable(f"Failed to create default route from app name: {error.detail}") from error
    return app.name.lower()


def _random_host(app: App, domain: Domain) -> str:
    """The app's name with two words and a number behind it that nobody has yet."""
    for _ in range(TRIES):
        tail = f"-{random.choice(ADJECTIVES)}-{random.choice(NOUNS)}-{random.randrange(10, 100)}"
        host = app.name.lower()[: routes.LONGEST_HOST - len(tail)] + tail
        if not Route.objects.filter(domain=domain, host=host).exists():
            break
    return host
