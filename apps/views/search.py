"""Search over what a person can see: organizations, spaces, apps, services and routes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from apps.models import App, Route
from apps.views.frame import person
from services.models import ServiceInstance
from tenants.models import Organization, Space

MOST = 25  # of each kind


def _named(words: str) -> Q:
    return Q(name__icontains=words) | Q(guid=words.lower())


def _routes(user: User, words: str) -> QuerySet[Route]:
    address = Concat(F("host"), Value("."), F("domain__name"), F("path"), output_field=CharField())
    bare = words.removeprefix("https://").removeprefix("http://")
    rows = Route.objects.visible_to(user).alias(address=address)
    return rows.filter(Q(address__icontains=bare) | Q(guid=words.lower())).select_related(
        "domain", "space__organization"
    )


def found(user: User, words: str) -> dict[str, list[object]]:
    """What fits the words, by kind; five queries whatever there is."""
    organizations = Organization.objects.visible_to(user).filter(_named(words))
    spaces = Space.objects.visible_to(user).filter(_named(words)).select_related("organization")
    apps = App.objects.visible_to(user).filter(_named(words)).select_related("space__organization").defer("environment")
    services = ServiceInstance.objects.visible_to(user).filter(_named(words)).select_related("space__organization")
    return {
        "organizations": list(organizations.order_by("name")[:MOST]),
        "spaces": list(spaces.order_by("name")[:MOST]),
        "apps": list(apps.order_by("name")[:MOST]),
        "services": list(services.only("guid", "name", "space").order_by("name")[:MOST]),
        "routes": list(_routes(user, words).order_by("host", "domain__name", "path")[:MOST]),
    }


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()[:200]
    results = found(person(request), words) if words else {}
    context = {"search_words": words, **results, "any": any(results.values()), "most": MOST}
    return render(request, "apps/search.html", context)
