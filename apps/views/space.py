"""A space: the apps in it, how they stand and where they answer."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.models import App, Build, Destination
from apps.views.frame import space_of, space_page
from apps.views.standing import runs, standing, watched
from tenants.models import Space

PER_PAGE = 50


def listed(space: Space) -> QuerySet[App]:
    """The apps of a space with everything that their line shows, in a number of queries that does not grow."""
    return (
        App.objects.filter(space=space)
        .select_related("droplet", "target", "serving")
        .defer("environment")
        .prefetch_related(
            "processes",
            "running",
            Prefetch("builds", Build.objects.filter(state=Build.State.STAGING).defer("environment")),
            Prefetch("destinations", Destination.objects.select_related("route__domain")),
        )
        .order_by("name")
    )


def line(app: App) -> dict[str, object]:
    """One app as the list shows it."""
    newest = app.target or app.serving
    urls = [destination.route.url for destination in app.destinations.all()]
    return {
        "app": app,
        "standing": standing(app),
        "memory_mb": sum(p.memory_mb * p.instances for p in app.processes.all() if runs(app, p) or p.type == "web"),
        "url": urls[0] if urls else "",
        "more_urls": max(len(urls) - 1, 0),
        "deployed_at": newest.created_at if newest else None,
    }


@login_required
@require_safe
def space(request: HttpRequest, guid: str) -> HttpResponse:
    place = space_of(request, guid)
    page = Paginator(listed(place), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": [line(app) for app in page], "watched": watched(place.region)}
    return space_page(request, place, "apps/space.html", tab="space", **context)
