"""What clients read about services while there are none: every collection is truthfully empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from rest_framework.request import Request

from paas.lib.v3 import Bool, EmptyCollection, Query, Text

ANY = Text("guid")
TRUTH = Bool("guid")


def taking(
    *names: str,
    include: dict[str, str] | None = None,
    fields: tuple[str, ...] = (),
    labels: bool = True,
    order: tuple[str, ...] = ("name",),
    **filters: Any,
) -> Query:
    """Return what a collection takes: comma lists by name, other filters, what it includes and which fields."""
    return Query(
        filters={**dict.fromkeys(names, ANY), **filters},
        orders={name: name for name in order},
        includes={name: no(kind) for name, kind in (include or {}).items()},
        extras=tuple(f"fields[{name}]" for name in fields),
        labels=labels,
    )


def no(kind: str) -> Callable[[Request, list[Any]], dict[str, list[dict[str, Any]]]]:
    return lambda request, rows: {kind: []}


OFFERING = ("service_offering_guids", "service_offering_names")
PLAN = ("service_plan_guids", "service_plan_names")
INSTANCE = ("service_instance_guids", "service_instance_names")

# path -> (what one of them is called, what the collection takes)
COLLECTIONS: dict[str, tuple[str, Query]] = {
    "service_route_bindings": (
        "Service route binding",
        taking(
            "route_guids",
            *INSTANCE,
            include={"route": "routes", "service_instance": "service_instances"},
            order=(),
        ),
    ),
}


class NoServiceViewSet(EmptyCollection):
    """One collection of the table; ``noun`` and ``query`` come with its URLs."""


def urls() -> list[URLPattern]:
    """Return the list and the single resource of every collection; whatever else is asked is unknown."""
    found = []
    for name, (noun, query) in COLLECTIONS.items():
        what = {"noun": noun, "query": query}
        found.append(path(name, NoServiceViewSet.as_view({"get": "list"}, **what)))
        found.append(path(f"{name}/<str:guid>", NoServiceViewSet.as_view({"get": "retrieve"}, **what)))
    return found
