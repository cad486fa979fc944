"""The frame of every page about a space or an app: what is found, where it stands, and what the person may do there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.models import App
from paas.lib.web import found
from tenants.access import verbs_held
from tenants.models import Space
from tenants.navigation import Crumb, Tab, org_crumbs, space_crumbs, space_tabs
from tenants.views.places import demand as demand
from tenants.views.places import for_scripts as for_scripts
from tenants.views.places import person

TABS = (
    ("Overview", "app", "app.view"),
    ("Builds", "app_builds", "app.view"),
    ("Logs", "app_logs", "log.read"),
    ("Events", "app_events", "audit.read"),
    ("Routes", "app_routes", "app.view"),
    ("Environment", "app_environment", "app.view"),
    ("Revisions", "app_revisions", "app.view"),
    ("Settings", "app_settings", "app.view"),
)


def space_of(request: HttpRequest, guid: str) -> Space:
    return found(Space.objects.visible_to(person(request)).select_related("organization", "region"), guid)


def app_of(request: HttpRequest, guid: str) -> App:
    joined = ("space__organization", "space__region", "droplet", "target__revision", "serving__revision")
    return found(App.objects.visible_to(person(request)).select_related(*joined), guid)


def app_crumbs(app: App) -> list[Crumb]:
    return [*space_crumbs(app.space), (app.name, reverse("app", args=[app.guid]))]


def app_tabs(app: App, current: str, verbs: set[str]) -> list[Tab]:
    return [(text, reverse(name, args=[app.guid]), name == current) for text, name, verb in TABS if verb in verbs]


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
    verbs = verbs_held(person(request), app.space)
    around = {
        "app": app,
        "space": app.space,
        "organization": app.space.organization,
        "scheme": settings.PAAS_SCHEME,
        "may": verbs,
        "crumbs": space_crumbs(app.space) if tab else app_crumbs(app),
        "tabs": app_tabs(app, tab, verbs),
    }
    return render(request, template, around | context)
