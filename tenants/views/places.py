"""What the pages share: finding the place that a URL names, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.views.account import person_of as person
from paas.lib.errors import NotAuthorized
from paas.lib.web import found
from tenants.access import people_of, verbs_held
from tenants.models import Limits, Organization, QuotaUse, Space
from tenants.templatetags.console import mb, size


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


def polled(request: HttpRequest, template: str, context: dict[str, Any], *, anew: bool) -> HttpResponse:
    """Answer with the part of a page that scripts fetch again and again; ``anew`` has them load the whole page."""
    response = render(request, template, context)
    if anew:
        response["HX-Refresh"] = "true"
    return response


def has_moved(request: HttpRequest, stage: str) -> bool:
    """Whether the page that asks was made at another stage than it is at now."""
    return request.GET.get("stage") not in (None, stage)


def people_like(place: Organization | Space, words: str) -> QuerySet[User]:
    """The people who hold a role there, by name; with words, those whose name or address has them in it."""
    people = people_of(place)
    if words:
        fields = ("username", "email", "given_name", "family_name")
        people = people.filter(Q(*((f"{field}__icontains", words) for field in fields), _connector=Q.OR))
    return people.order_by(Lower("username"), "id")


def organization_seen(user: User, guid: str) -> Organization:
    """Return the organization if the user may see it, with its quota and use; else raise ``NotFound``."""
    rows = Organization.objects.visible_to(user).select_related("quota", "use")
    return found(rows, guid, "There is no such organization, or you have no role in it.")


def space_seen(user: User, guid: str) -> Space:
    """Return the space if the user may see it, with its organization, quota and use; else raise ``NotFound``."""
    rows = Space.objects.visible_to(user).select_related("organization__quota", "quota", "use")
    return found(rows, guid, "There is no such space, or you have no role in it.")


@dataclass(frozen=True)
class Figure:
    """How much of one thing is used. ``amount`` is that as text, ``limit`` None without one, ``words`` tell both."""

    title: str
    used: int
    limit: int | None
    amount: str
    words: str


def figures(use: QuotaUse, quota: Limits | None) -> list[Figure]:
    """Return the use of memory, instances, routes and services against a quota."""

    def figure(title: str, used: int, limit: int | None, words: Callable[[int], str] = str) -> Figure:
        told = f"{words(used)} of {words(limit)}" if limit is not None else f"{words(used)}, no limit"
        return Figure(title, used, limit, words(used), told)

    return [
        figure("Memory", use.memory_mb, quota.total_memory_mb if quota else None, mb),
        figure("App instances", use.instances, quota.total_instances if quota else None),
        figure("Routes", use.routes, quota.total_routes if quota else None),
        figure("Services", use.service_instances, quota.total_service_instances if quota else None),
    ]


def limits(quota: Limits) -> list[tuple[str, str]]:
    """Return what a quota allows, in words."""
    counts = (
        ("App instances", quota.total_instances),
        ("Routes", quota.total_routes),
        ("Services", quota.total_service_instances),
        ("Tasks of one app at a time", quota.per_app_tasks),
    )
    sizes = (("Memory", quota.total_memory_mb), ("Memory of one instance", quota.per_process_memory_mb))
    told = [(title, mb(limit)) for title, limit in sizes]
    told += [(title, "no limit" if limit is None else str(limit)) for title, limit in counts]
    told += [("Log rate", "no limit" if quota.log_rate is None else f"{size(quota.log_rate)} per second")]
    return [*told, ("Paid services", "allowed" if quota.paid_services_allowed else "not allowed")]
