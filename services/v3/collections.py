"""What clients read about services while there are none: every collection is truthfully empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from rest_framework.request import Request

from paas.lib.v3 import Bool, Choice, EmptyCollection, Query, Text

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


BROKER = ("service_broker_guids", "service_broker_names")
OFFERING = ("service_offering_guids", "service_offering_names")
PLAN = ("service_plan_guids", "service_plan_names")
INSTANCE = ("service_instance_guids", "service_instance_names")

# path -> (what one of them is called, what the collection takes)
COLLECTIONS: dict[str, tuple[str, Query]] = {
    "service_instances": (
        "Service instance",
        taking(
            "names",
            "space_guids",
            "organization_guids",
            *PLAN,
            type=Choice("guid", ("managed", "user-provided")),
            fields=(
                "space",
                "space.organization",
                "service_plan",
                "service_plan.service_offering",
                "service_plan.service_offering.service_broker",
            ),
        ),
    ),
    "service_credential_bindings": (
        "Service credential binding",
        taking(
            "names",
            "app_guids",
            "app_names",
            *INSTANCE,
            *PLAN,
            *OFFERING,
            type=Choice("guid", ("app", "key")),
            include={"app": "apps", "service_instance": "service_instances"},
        ),
    ),
    "service_route_bindings": (
        "Service route binding",
        taking(
            "route_guids",
            *INSTANCE,
            include={"route": "routes", "service_instance": "service_instances"},
            order=(),
        ),
    ),
    "service_offerings": (
        "Service offering",
        taking("names", "space_guids", "organization_guids", *BROKER, available=TRUTH, fields=("service_broker",)),
    ),
    "service_plans": (
        "Service plan",
        taking(
            "names",
            "broker_catalog_ids",
            "space_guids",
            "organization_guids",
            "service_instance_guids",
            *BROKER,
            *OFFERING,
            available=TRUTH,
            include={"service_offering": "service_offerings", "space.organization": "spaces"},
            fields=("service_offering.service_broker",),
        ),
    ),
    "service_brokers": ("Service broker", taking("names", "space_guids")),
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
