"""The table of service brokers and of what they offer: those here serve one space."""

from __future__ import annotations

from types import SimpleNamespace as Things
from typing import Any

from tests.walk.api import DELETE, GET, PATCH, PLATFORM, POST, SPACE, labels, listed, to
from tests.walk.rows import Row

VIEW, KEEP = "service.view", "service.create"  # what shows a space's brokers, and what keeps them
VISIBILITY = "v3/service_plans/<str:guid>/visibility"


def broker(t: Things) -> dict[str, Any]:
    secret = {"username": "walked", "password": "walked"}
    return {
        "name": "walked",
        "url": "https://broker.example",
        "authentication": {"type": "basic", "credentials": secret},
    }


def space_broker(t: Things) -> dict[str, Any]:
    return broker(t) | {"relationships": {"space": to(t.space)}}


def offered(path: str) -> tuple[Row, Row]:
    """What is read without a token too, where it is open to everybody; it is not, here."""
    return GET(path, SPACE, public=True), PATCH(path, SPACE, KEEP, labels)


ROWS = (
    listed("v3/service_brokers", "service_broker", VIEW),
    POST("v3/service_brokers", "", PLATFORM, broker),
    POST("v3/service_brokers", SPACE, KEEP, space_broker, named=True),
    GET("v3/service_brokers/<str:guid>", VIEW),
    PATCH("v3/service_brokers/<str:guid>", VIEW, KEEP, labels),
    PATCH("v3/service_brokers/<str:guid>", VIEW, KEEP, lambda t: {"url": "https://broker.example"}),
    DELETE("v3/service_brokers/<str:guid>", VIEW, KEEP),
    GET("v3/service_brokers/<str:guid>/conformance", VIEW),
    POST("v3/service_brokers/<str:guid>/conformance", VIEW, KEEP, lambda t: {}),
    listed("v3/service_offerings", "service_offering", SPACE, public=True),
    *offered("v3/service_offerings/<str:guid>"),
    DELETE("v3/service_offerings/<str:guid>", SPACE, KEEP),
    DELETE("v3/service_offerings/<str:guid>", SPACE, KEEP, query="?purge=true"),
    listed("v3/service_plans", "service_plan", SPACE, public=True),
    *offered("v3/service_plans/<str:guid>"),
    DELETE("v3/service_plans/<str:guid>", SPACE, KEEP),
    GET(VISIBILITY, SPACE),
    PATCH(VISIBILITY, SPACE, PLATFORM, lambda t: {"type": "public"}, cannot=True),
    POST(VISIBILITY, SPACE, PLATFORM, lambda t: {"type": "public"}, cannot=True),
    DELETE(f"{VISIBILITY}/<str:organization>", SPACE, PLATFORM, cannot=True),
)
