"""The frame of every page about a space or an app: what is found, where it stands, and what the person may do there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.models import User
from apps.models import App
from paas.lib.errors import NotAuthorized, NotFound
from tenants.access import verbs_held
from tenants.models import Space
from tenants.navigation import Crumb, Tab, org_crumbs, space_crumbs, space_tabs

TABS = (
    ("Overview", "app"),
    ("Builds", "app_builds"),
    ("Logs", "app_logs"),
    ("Events", "app_events"),
    ("Routes", "app_routes"),
    ("Environment", "app_environment"),
    ("Revisions", "app_revisions"),
    ("Settings", "app_settings"),
)


def person(request: HttpRequest) -> User:
    """The signed-in person; every page about spaces and apps is behind the sign-in."""
    assert isinstance(request.user, User)
    return request.user


def found(rows: QuerySet[Any], guid: str) -> Any:
    """Return the row that the person may see, or raise ``NotFound``."""
    row = rows.filter(guid=guid).first() if "\0" not in guid else None
    if row is None:
        raise NotFound(f"There is no such {rows.model._meta.verbose_name}, or you have no role in its space.")
    return row


def space_of(request: HttpRequest, guid: str) -> Space:
    return found(Space.objects.visible_to(person(request)).select_related("organization", "region"), guid)


def app_of(request: HttpRequest, guid: str) -> App:
    joined = ("space__organization", "space__region", "droplet", "target__revision", "serving__revision")
    return found(App.objects.visible_to(person(request)).select_related(*joined), guid)


def app_crumbs(app: App) -> list[Crumb]:
    return [*space_crumbs(app.space), (app.name, reverse("app", args=[app.guid]))]


def app_tabs(app: App, current: str) -> list[Tab]:
    return [(text, reverse(name, args=[app.guid]), name == current) for text, name in TABS]


def space_page(request: HttpRequest, space: Space, template: str, *, tab: str = "", **context: Any) -> HttpResponse:
    """Render a page of a space: that of a tab, or one behind it where none is named.

    ``may`` holds the person's verbs: a button is only there for who may press it.
    """
    around = {
        "space": space,
        "organization": space.organization,
        "scheme": settings.PAAS_SCHEME,
        "may": verbs_held(person(request), space),
        "crumbs": org_crumbs(space.organization) if tab else space_crumbs(space),
        "tabs": space_tabs(space, person(request), tab),
    }
    return render(request, template, around | context)


def app_page(request: HttpRequest, app: App, template: str, *, tab: str = "", **context: Any) -> HttpResponse:
    """Render a page of an app, with the same ``may``."""
    around = {
        "app": app,
        "space": app.space,
        "organization": app.space.organization,
        "scheme": settings.PAAS_SCHEME,
        "may": verbs_held(person(request), app.space),
        "crumbs": space_crumbs(app.space) if tab else app_crumbs(app),
        "tabs": app_tabs(app, tab),
    }
    return render(request, template, around | context)


def demand(request: HttpRequest, verb: str, space: Space) -> None:
    """Refuse the page itself to who may not send its form; the action asks again."""
    if verb not in verbs_held(person(request), space):
        raise NotAuthorized()


def for_scripts(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate what scripts fetch: who is no longer signed in gets 401, not a sign-in page inside the page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponse(status=401)
        return view(request, *args, **kwargs)

    return wrapped
