"""The v3 door of routes, those of an app and those of a space."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from apps.actions import route as actions
from apps.models import App, Destination, Domain, Route
from apps.v3 import domains
from apps.v3.shapes import routing
from paas.lib.errors import Unprocessable
from paas.lib.v3 import (
    Bool,
    Form,
    MetadataField,
    Query,
    ResourceViewSet,
    Text,
    ToMany,
    ToOne,
    accepted,
    link,
    named,
    to_many,
    to_one,
)
from paas.lib.v3.query import values
from tenants.access import authorize
from tenants.flags import require_flag
from tenants.models import Organization, Space
from tenants.v3 import shapes

BALANCING = ("round-robin", "least-connection")


class Options(Form):
    loadbalancing = serializers.ChoiceField(
        BALANCING,
        required=False,
        allow_null=True,
        error_messages={"invalid_choice": f"must be one of '{', '.join(BALANCING)}' if present"},
    )


class Ends(Form):
    space = ToOne()
    domain = ToOne()


class New(Form):
    host = serializers.CharField(required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    path = serializers.CharField(required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    port = serializers.IntegerField(required=False, allow_null=True)
    options = Options(required=False)
    relationships = Ends()
    metadata = MetadataField(required=False)

    def validate_port(self, value: int | None) -> int | None:
        if value is not None:
            raise serializers.ValidationError("Ports are not supported for HTTP domains.")
        return value


class Change(Form):
    options = Options(required=False)
    metadata = MetadataField(required=False)


def hosts(name: str, text: str) -> Q:
    return Q(host__in=[value.lower() for value in values(text)])


def ports(name: str, text: str) -> Q:
    """There are no TCP routes: clients ask for port 0 when they mean none."""
    return Q() if {"", "0"} & set(values(text)) else Q(pk__in=[])


def leading_to(name: str, text: str) -> Q:
    return Q(pk__in=Destination.objects.filter(app__guid__in=values(text)).values("route"))


def bound_to(name: str, text: str) -> Q:
    """Route services come later; nothing can be bound to a route yet."""
    return Q(pk__in=[])


def mapped(name: str, text: str) -> Q:
    Bool("mapped")(name, text)  # refuses what is neither true nor false
    somewhere = Q(pk__in=Destination.objects.values("route"))
    return somewhere if text == "true" else ~somewhere


def domains_of(request: Request, routes: list[Route]) -> dict[str, list[dict[str, Any]]]:
    found = domains.rows(request.user).filter(pk__in={route.domain_id for route in routes})
    return {"domains": [domains.shown(request, domain) for domain in found]}


def spaces_of(request: Request, routes: list[Route]) -> dict[str, list[dict[str, Any]]]:
    there = Space.objects.filter(pk__in={route.space_id for route in routes})
    return {"spaces": [shapes.space(request, space) for space in there.select_related("organization", "quota")]}


def organizations_of(request: Request, routes: list[Route]) -> dict[str, list[dict[str, Any]]]:
    there = Organization.objects.filter(spaces__in={route.space_id for route in routes}).select_related("quota")
    return {"organizations": [shapes.organization(request, organization) for organization in there]}


def rows(user: User) -> QuerySet[Route]:
    """The routes that the user sees, with all that their shape shows."""
    ends = Prefetch("destinations", Destination.objects.select_related("app").defer("app__environment"))
    return Route.objects.visible_to(user).select_related("domain", "space__organization").prefetch_related(ends)


class RouteViewSet(ResourceViewSet):
    noun = "Route"
    query = Query(
        filters={
            "hosts": hosts,
            "paths": Text("path"),
            "ports": ports,
            "domain_guids": Text("domain__guid"),
            "space_guids": Text("space__guid"),
            "organization_guids": Text("space__organization__guid"),
            "app_guids": leading_to,
            "service_instance_guids": bound_to,
            "mapped": mapped,
        },
        includes={"domain": domains_of, "space": spaces_of, "space.organization": organizations_of},
    )

    def queryset(self) -> QuerySet[Route]:
        return rows(self.user)

    def present(self, resource: Route) -> dict[str, Any]:
        return routing.route(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        ends = sent["relationships"]
        space = named(Space.objects.visible_to(self.user), ends["space"], "space")
        authorize(self.user, "route.manage", space)
        domain = named(Domain.objects.visible_to(self.user), ends["domain"], "domain")
        route = actions.create(
            self.user,
            space,
            domain=domain,
            host=sent.get("host") or "",
            path=sent.get("path") or "",
            options={name: value for name, value in sent.get("options", {}).items() if value is not None},
            metadata=sent.get("metadata"),
        )
        return Response(self.present(self.found(route.guid)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        route = actions.update(self.user, self.found(guid), **Change.read(request.data))
        return Response(self.present(self.found(route.guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def move(self, request: Request, guid: str) -> Response:
        route = self.found(guid)
        space = named(Space.objects.visible_to(self.user), ToOne.whole(request.data), "space")
        actions.move(self.user, route, space=space)
        here = f"/v3/routes/{guid}/relationships/space"
        links = {"self": link(request, here), "related": link(request, f"/v3/spaces/{space.guid}")}
        return Response({**to_one(space.guid), "links": links})

    def shared(self, request: Request, guid: str) -> Response:
        """A route belongs to one space: it is shared with no other."""
        here = f"/v3/routes/{self.found(guid).guid}/relationships/shared_spaces"
        return Response({**to_many([]), "links": {"self": link(request, here)}})

    def share(self, request: Request, guid: str) -> Response:
        route = self.found(guid)
        authorize(self.user, "route.manage", route.space)
        ToMany.whole(request.data)
        require_flag("route_sharing", self.user)
        raise Unprocessable(
            f"Unable to share route '{route.url}' with spaces: a route belongs to one space here. "
            "Move the route to the other space, or lead a route of its own there."
        )

    def unshare(self, request: Request, guid: str, space: str) -> Response:
        route = self.found(guid)
        authorize(self.user, "route.manage", route.space)
        raise Unprocessable(
            f"Unable to unshare route '{route.url}' from space with guid '{space}'. "
            "Ensure the space exists and the route is shared to this space."
        )


class AppRouteViewSet(ResourceViewSet):
    """The routes that lead to an app."""

    noun = "App"
    query = RouteViewSet.query

    def queryset(self) -> QuerySet[App]:
        return App.objects.visible_to(self.user)

    def present(self, resource: Route) -> dict[str, Any]:
        return routing.route(self.request, resource)

    def every(self, request: Request, guid: str) -> Response:
        leading = Destination.objects.filter(app=self.found(guid)).values("route")
        return self.page(request, rows(self.user).filter(pk__in=leading))


class SpaceRouteViewSet(ResourceViewSet):
    """The routes of a space, of which those that lead nowhere can be deleted at once."""

    noun = "Space"

    def queryset(self) -> QuerySet[Space]:
        return Space.objects.visible_to(self.user)

    def clean(self, request: Request, guid: str) -> Any:
        space = self.found(guid)
        authorize(self.user, "route.manage", space)
        if request.query_params.get("unmapped") != "true":
            raise Unprocessable(
                "Mass delete not supported for routes. Use 'unmapped=true' parameter to delete all unmapped routes."
            )
        return accepted(request, actions.delete_unmapped(self.user, space))
