"""The documentation: readable without signing in, with the addresses of this install in it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from paas.lib.errors import NotFound
from paas.lib.web import platform
from tenants import access, manual, operations
from tenants.permissions import ORGANIZATION_ROLES, SPACE_ROLES, short


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What there is to read."""
    described = [
        (group, [(slug, title, manual.DESCRIBED[slug]) for slug, title in pages]) for group, pages in manual.GROUPS
    ]
    return render(request, "docs/index.html", {"groups": manual.GROUPS, "slug": "", "described": described})


@require_GET
def page(request: HttpRequest, page: str) -> HttpResponse:
    if page not in manual.TITLES:
        raise NotFound("There is no such page in the documentation.")
    return _written(request, page, "docs/page.html")


@require_GET
def roles(request: HttpRequest) -> HttpResponse:
    """Who may do what: the table that the platform itself asks."""
    groups = [
        ("Organization", _short(ORGANIZATION_ROLES)),
        ("Space", _short(SPACE_ROLES)),
        ("Platform", {access.ADMIN: "Admin", access.READ_ONLY_ADMIN: "Read-only admin"}),
    ]
    names = [name for _, columns in groups for name in columns]
    rows = [(verb, sentence, [cells[name] for name in names]) for verb, sentence, cells in access.table()]
    return _written(request, "roles", "docs/roles.html", columns=groups, rows=rows)


def _short(names: dict[str, str]) -> dict[str, str]:
    """The roles without the place that stands above them."""
    return {name: short(label) for name, label in names.items()}


@require_GET
def api(request: HttpRequest) -> HttpResponse:
    """Every operation of the API, from its own description."""
    return _written(request, "api", "docs/api.html", tags=operations.by_tag())


def _written(request: HttpRequest, slug: str, template: str, **more: Any) -> HttpResponse:
    html, sections = manual.written(slug, platform(request))
    shown = {"html": html, "sections": sections, "title": manual.TITLES[slug], "groups": manual.GROUPS, "slug": slug}
    shown["crumbs"] = [("Documentation", reverse("docs"))]
    return render(request, template, shown | more)
