"""Routes: those of a space, one of them, and those that lead to an app."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.actions import destination as destinations
from apps.actions import route as routes
from apps.actions.destination import End
from apps.forms import MapForm, RouteForm
from apps.models import App, Destination, Route
from apps.views.frame import app_of, app_page, demand, person, space_of, space_page
from paas.lib.web import found, tells_errors
from tenants.forms import errors_told_in
from tenants.models import Space

PER_PAGE = 100


def route_of(request: HttpRequest, guid: str) -> Route:
    joined = ("space__organization", "space__region", "domain")
    return found(Route.objects.visible_to(person(request)).select_related(*joined), guid)


@login_required
@require_safe
def in_space(request: HttpRequest, guid: str) -> HttpResponse:
    space = space_of(request, guid)
    return _space_routes(request, space, RouteForm(space=space))


def _space_routes(request: HttpRequest, space: Space, form: RouteForm) -> HttpResponse:
    leads = Prefetch("destinations", Destination.objects.select_related("app").defer("app__environment"))
    rows = Route.objects.filter(space=space).select_related("domain").prefetch_related(leads)
    page = Paginator(rows.order_by("host", "domain__name", "path"), PER_PAGE).get_page(request.GET.get("page"))
    return space_page(request, space, "apps/routes.html", tab="space_routes", page=page, form=form)


@login_required
@require_POST
def create(request: HttpRequest, guid: str) -> HttpResponse:
    space = space_of(request, guid)
    demand(request, "route.manage", space)
    form = RouteForm(request.POST, space=space)
    if form.is_valid():
        with errors_told_in(form):
            route = routes.create(person(request), space, **form.cleaned_data)
            messages.success(request, f"{route.url} is yours. Choose the app that it leads to.")
            return redirect("route", route.guid)
    return _space_routes(request, space, form)


@login_required
@require_safe
def one(request: HttpRequest, guid: str) -> HttpResponse:
    route = route_of(request, guid)
    return _route(request, route, MapForm(route=route))


def _route(request: HttpRequest, route: Route, form: MapForm) -> HttpResponse:
    leads = route.destinations.select_related("app").defer("app__environment").order_by("id")
    context: dict[str, Any] = {"route": route, "destinations": leads, "form": form}
    return space_page(request, route.space, "apps/route.html", **context)


@login_required
@require_POST
def lead(request: HttpRequest, guid: str) -> HttpResponse:
    """Lead the route to one more app."""
    route = route_of(request, guid)
    demand(request, "route.manage", route.space)
    form = MapForm(request.POST, route=route)
    if form.is_valid():
        app: App = form.cleaned_data["app"]
        with errors_told_in(form):
            destinations.add(person(request), route, ends=[End(app)])
            messages.success(request, f"{route.url} leads to {app.name}.")
            return redirect("route", guid)
    return _route(request, route, form)


@login_required
@require_POST
@tells_errors()
def unmap(request: HttpRequest, guid: str, destination: str) -> HttpResponse:
    route = route_of(request, guid)
    row = found(Destination.objects.filter(route=route).select_related("app"), destination)
    destinations.remove(person(request), route, guid=row.guid)
    messages.success(request, f"{route.url} no longer leads to {row.app.name}.")
    if request.POST.get("back") == "app":
        return redirect("app_routes", row.app.guid)
    return redirect("route", guid)


@login_required
@require_http_methods(["GET", "POST"])
@tells_errors()
def delete(request: HttpRequest, guid: str) -> HttpResponse:
    """Ask once more, then give the route up."""
    route = route_of(request, guid)
    demand(request, "route.manage", route.space)
    if request.method == "POST":
        routes.delete(person(request), route)
        messages.success(request, f"{route.url} is deleted.")
        return redirect("space_routes", route.space.guid)
    leads = route.destinations.select_related("app").defer("app__environment")
    return space_page(request, route.space, "apps/route_delete.html", route=route, destinations=leads)


@login_required
@require_safe
def of_app(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    return _app_routes(request, app)


def _app_routes(request: HttpRequest, app: App, new: RouteForm | None = None) -> HttpResponse:
    context = {
        "destinations": app.destinations.select_related("route__domain").order_by("id"),
        "new": new or RouteForm(space=app.space, initial={"host": app.name.lower()}),
        "refused": new,
        "free": _free(app),
    }
    return app_page(request, app, "apps/app_routes.html", tab="app_routes", **context)


def _free(app: App) -> list[Route]:
    """The routes of the space that do not lead to the app."""
    rows = Route.objects.filter(space=app.space).exclude(destinations__app=app).select_related("domain")
    return list(rows.order_by("host", "domain__name", "path")[:200])


@login_required
@require_POST
def new_for_app(request: HttpRequest, guid: str) -> HttpResponse:
    """Create a route and lead it to the app, or neither."""
    app = app_of(request, guid)
    demand(request, "route.manage", app.space)
    form = RouteForm(request.POST, space=app.space)
    if form.is_valid():
        with errors_told_in(form), transaction.atomic():
            route = routes.create(person(request), app.space, **form.cleaned_data)
            destinations.add(person(request), route, ends=[End(app)])
            messages.success(request, f"{route.url} leads to {app.name}.")
            return redirect("app_routes", guid)
    return _app_routes(request, app, form)


@login_required
@require_POST
@tells_errors()
def map_to_app(request: HttpRequest, guid: str) -> HttpResponse:
    """Lead a route of the space to the app."""
    app = app_of(request, guid)
    demand(request, "route.manage", app.space)
    route = route_of(request, request.POST.get("route", ""))
    destinations.add(person(request), route, ends=[End(app)])
    messages.success(request, f"{route.url} leads to {app.name}.")
    return redirect("app_routes", guid)
