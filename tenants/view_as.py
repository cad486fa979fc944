"""Lets a browser look at an organization as one of its members does, while its session says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from tenants import access
from tenants.actions import view_as as actions
from tenants.actions.role import VERB
from tenants.models import Organization

KEY = "view_as"  # in the session: [guid of the member, guid of the organization]
# What is about places, and what is about nobody; the account of either person is not to be seen.
SHOWN = (
    "/orgs/",
    "/spaces/",
    "/apps/",
    "/builds/",
    "/routes/",
    "/services/",
    "/docs",
    "/search",
    "/static/",
    "/jsi18n",
)
STOP = "/view-as/stop"


class ViewAsMiddleware:
    """Puts the member in the place of the manager, for reading; everything else answers with the way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kept = request.session.get(KEY) if hasattr(request, "session") else None
        if not kept or request.path.startswith(("/v3", "/uaa/oauth", "/api/")):
            return self.get_response(request)
        manager: Any = request.user
        found = _found(manager, *kept) if manager.is_authenticated else None
        if found is None:  # nobody there any more, or the manager may not look
            del request.session[KEY]
            return self.get_response(request)
        member, organization = found
        request.viewing = {"manager": manager, "member": member, "organization": organization}  # type: ignore[attr-defined]
        if request.path == STOP:
            return self.get_response(request)
        shown = request.path == "/" or request.path.startswith(SHOWN)
        if not shown or request.method not in ("GET", "HEAD", "OPTIONS"):
            return render(request, "tenants/view_as_only_reads.html", {"viewing": request.viewing}, status=403)  # type: ignore[attr-defined]
        request.user = actions.seen_as(manager, member, organization)
        return self.get_response(request)


def _found(manager: User, member: str, organization: str) -> tuple[User, Organization] | None:
    """Return whom the manager looks as, and where, if that is still theirs to do."""
    place = Organization.objects.visible_to(manager).filter(guid=organization).first()
    if place is None or not access.may(manager, VERB, place):
        return None
    person = access.people_of(place).filter(guid=member, is_active=True).first()
    return (person, place) if person else None
