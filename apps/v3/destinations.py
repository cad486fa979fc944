"""The v3 door of a route's destinations."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from apps.actions import destination as actions
from apps.actions.destination import End
from apps.models import App, Destination, Route
from apps.v3.shapes import routing
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Form, Query, ResourceViewSet, Text, link, no_content
from tenants.access import authorize

MOST = 100
LOWEST_PORT, HIGHEST_PORT = 1024, 65535
PROTOCOL = "http1"
OTHER_PROTOCOL = "protocol must be 'http1': the router speaks HTTP/1.1 to apps."


class Several(Form):
    destinations = serializers.JSONField()


class Protocol(Form):
    protocol = serializers.CharField(allow_null=True)

    def validate_protocol(self, value: str | None) -> str:
        if value not in (None, PROTOCOL):
            raise serializers.ValidationError(OTHER_PROTOCOL.removeprefix("protocol "))
        return PROTOCOL


def problem(index: int, sent: Any, *, replacing: bool) -> str:
    """Return what is wrong with one destination, or nothing."""
    said = f"Destinations[{index}]: "
    if not isinstance(sent, dict):
        return said + "must be an object."
    if "app" not in sent:
        return said + 'must have an "app".'
    if set(sent) - {"app", "weight", "port", "protocol"}:
        return said + 'must have only "app" and optionally "weight", "port" or "protocol".'
    app = sent["app"]
    if not isinstance(app, dict) or not isinstance(app.get("guid"), str) or not 0 < len(app["guid"]) < 200:
        return said + 'app must have the structure {"guid": "app_guid"}'
    if not _is_process(app.get("process")):
        return said + 'process must have the structure {"type": "process_type"}'
    weight, port = sent.get("weight"), sent.get("port")
    if weight is not None and not replacing:
        return said + "weighted destinations can only be used when replacing all destinations."
    if weight is not None and not (_is_whole(weight) and 1 <= weight <= 100):
        return said + "weight must be a positive integer between 1 and 100."
    if port is not None and not (_is_whole(port) and LOWEST_PORT <= port <= HIGHEST_PORT):
        return said + f"port must be a positive integer between {LOWEST_PORT} and {HIGHEST_PORT} inclusive."
    if sent.get("protocol") not in (None, PROTOCOL):
        return said + OTHER_PROTOCOL
    return ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_process(value: Any) -> bool:
    if value is None:
        return True
    kind = value.get("type") if isinstance(value, dict) and set(value) == {"type"} else None
    return isinstance(kind, str) and 0 < len(kind) <= 255 and "\0" not in kind


def checked(data: Any, *, replacing: bool) -> list[dict[str, Any]]:
    """Return the destinations of a body; raise with every sentence that is to be said about them."""
    sent = Several.read(data)["destinations"]
    least = 0 if replacing else 1
    if not isinstance(sent, list) or not least <= len(sent) <= MOST:
        raise Unprocessable(f"Destinations must be an array containing between {least} and {MOST} destination objects.")
    problems = [said for index, one in enumerate(sent) if (said := problem(index, one, replacing=replacing))]
    if problems:
        raise Unprocessable(*problems)
    weights = [one.get("weight") for one in sent]
    if any(weights) and not all(weights):
        raise Unprocessable("Destinations cannot contain both weighted and unweighted destinations.")
    if any(weights) and sum(weights) != 100:
        raise Unprocessable("Destinations must have weights that sum to 100.")
    return sent


def ends(user: User, sent: list[dict[str, Any]]) -> list[End]:
    """Find the apps that are named; raise about those that the user cannot see."""
    guids = list(dict.fromkeys(one["app"]["guid"] for one in sent))
    asked = [guid for guid in guids if "\0" not in guid]
    found = {app.guid: app for app in App.objects.visible_to(user).select_related("space").filter(guid__in=asked)}
    if missing := [guid for guid in guids if guid not in found]:
        wrong = '","'.join(missing)
        raise Unprocessable(f'App(s) with guid(s) "{wrong}" do not exist or you do not have access.')
    return [
        End(
            app=found[one["app"]["guid"]],
            process_type=(one["app"].get("process") or {"type": "web"})["type"],
            port=one.get("port") or actions.PORT,
            weight=one.get("weight"),
            protocol=one.get("protocol") or PROTOCOL,
        )
        for one in sent
    ]


class DestinationViewSet(ResourceViewSet):
    noun = "Route"
    query = Query(filters={"app_guids": Text("app__guid")}, labels=False, stamps=False)

    def queryset(self) -> QuerySet[Route]:
        there = Prefetch("destinations", Destination.objects.select_related("app"))
        return Route.objects.visible_to(self.user).select_related("domain", "space").prefetch_related(there)

    def every(self, request: Request, guid: str) -> Response:
        route = self.found(guid)
        found = self.query.apply(route.destinations.select_related("app"), request.query_params)
        return Response(self._shown(route, list(found)))

    def add(self, request: Request, guid: str) -> Response:
        route = self.found(guid)
        sent = checked(request.data, replacing=False)
        authorize(self.user, "route.manage", route.space)
        actions.add(self.user, route, ends=ends(self.user, sent))
        return self._all(guid)

    def replace(self, request: Request, guid: str) -> Response:
        route = self.found(guid)
        sent = checked(request.data, replacing=True)
        authorize(self.user, "route.manage", route.space)
        actions.replace(self.user, route, ends=ends(self.user, sent))
        return self._all(guid)

    def change(self, request: Request, guid: str, destination: str) -> Response:
        route = self.found(guid)
        protocol = Protocol.read(request.data)["protocol"] or PROTOCOL
        return Response(routing.destination(actions.change(self.user, route, guid=destination, protocol=protocol)))

    def remove(self, request: Request, guid: str, destination: str) -> Any:
        actions.remove(self.user, self.found(guid), guid=destination)
        return no_content()

    def _all(self, guid: str) -> Response:
        route = self.found(guid)
        return Response(self._shown(route, route.destinations.all()))

    def _shown(self, route: Route, found: Any) -> dict[str, Any]:
        here = f"/v3/routes/{route.guid}"
        links = {"self": link(self.request, f"{here}/destinations"), "route": link(self.request, here)}
        return {"destinations": [routing.destination(row) for row in found], "links": links}
