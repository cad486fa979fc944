"""The v3 door of apps: creating, changing, running and deleting them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import app as actions
from apps.actions.push import check_buildpacks
from apps.models import App, Stack
from apps.v3.shapes import running as shapes
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Choice, Form, MetadataField, Names, Query, ResourceViewSet, Text, ToOne, accepted, named
from paas.lib.v3.query import values
from tenants.access import may
from tenants.models import Space
from tenants.v3 import shapes as tenants


class Built(Form):
    """The data of a lifecycle; an image has none."""

    buildpacks = serializers.ListField(child=serializers.CharField(max_length=1024), required=False, allow_null=True)
    stack = serializers.CharField(max_length=64, required=False, allow_null=True)


class Lifecycle(Form):
    """How an app is built; reads as the columns' names."""

    type = serializers.ChoiceField(
        App.Lifecycle.choices, error_messages={"invalid_choice": "is not included in list: buildpack, docker"}
    )
    data = Built()  # type: ignore[assignment]

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        data = sent["data"]
        if sent["type"] == App.Lifecycle.DOCKER and data:
            raise serializers.ValidationError("data must be an empty object for a docker app")
        found: dict[str, Any] = {"lifecycle": sent["type"]}
        if "buildpacks" in data:
            found["buildpacks"] = data["buildpacks"] or []
            check_buildpacks(found["buildpacks"])
        if data.get("stack"):
            found["stack"] = data["stack"]
            if not Stack.objects.filter(name=data["stack"]).exists():
                raise serializers.ValidationError({"non_field_errors": ["Stack must be an existing stack"]})
        return found


class InSpace(Form):
    space = ToOne()


class New(Form):
    name = serializers.CharField(max_length=255)
    relationships = InSpace()
    lifecycle = Lifecycle(required=False)
    environment_variables = serializers.DictField(required=False, allow_null=True)
    metadata = MetadataField(required=False)


class Change(Form):
    name = serializers.CharField(max_length=255, required=False)
    lifecycle = Lifecycle(required=False)
    metadata = MetadataField(required=False)


def on_stacks(name: str, text: str) -> Q:
    """Apps built for any of these stacks; an empty name means those that have none, being images."""
    asked = values(text)
    return Q(lifecycle=App.Lifecycle.BUILDPACK, stack__in=asked) | (
        Q(lifecycle=App.Lifecycle.DOCKER) if "" in asked else Q(pk__in=[])
    )


def spaces_of(request: Request, apps: list[App]) -> dict[str, list[dict[str, Any]]]:
    return {"spaces": [tenants.space(request, app.space) for app in apps]}


def organizations_of(request: Request, apps: list[App]) -> dict[str, list[dict[str, Any]]]:
    return {"organizations": [tenants.organization(request, app.space.organization) for app in apps]}


def places_of(request: Request, apps: list[App]) -> dict[str, list[dict[str, Any]]]:
    return spaces_of(request, apps) | organizations_of(request, apps)


class AppViewSet(ResourceViewSet):
    noun = "App"
    query = Query(
        filters={
            "names": Names("name"),
            "organization_guids": Text("space__organization__guid"),
            "space_guids": Text("space__guid"),
            "stacks": on_stacks,
            "lifecycle_type": Choice("lifecycle", tuple(App.Lifecycle.values)),
        },
        orders={"name": "name", "state": "state"},
        includes={"space": spaces_of, "org": organizations_of, "space.organization": places_of},
    )

    def queryset(self) -> QuerySet[App]:
        joined = App.objects.select_related("droplet", "space__quota", "space__organization__quota")
        return joined.visible_to(self.user).defer("environment")

    def present(self, resource: App) -> dict[str, Any]:
        return shapes.app(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        space = named(Space.objects.visible_to(self.user), sent.pop("relationships")["space"], "space")
        environment = sent.pop("environment_variables", None)
        app = actions.create(self.user, space, environment=environment, **sent.pop("lifecycle", {}), **sent)
        return Response(self.present(app), status=201)

    def update(self, request: Request, guid: str) -> Response:
        app = self.found(guid)
        sent = Change.read(request.data)
        lifecycle = sent.pop("lifecycle", {})
        if lifecycle and lifecycle.pop("lifecycle") != app.lifecycle:
            raise Unprocessable("Lifecycle type cannot be changed")
        return Response(self.present(actions.update(self.user, app, **lifecycle, **sent)))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def start(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.start(self.user, self.found(guid))))

    def stop(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.stop(self.user, self.found(guid))))

    def restart(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.restart(self.user, self.found(guid))))

    def clear_cache(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.clear_cache(self.user, self.found(guid)))

    def permissions(self, request: Request, guid: str) -> Response:
        sensitive = may(self.user, "app.see_secrets", self.found(guid))
        return Response({"read_basic_data": True, "read_sensitive_data": sensitive})

    def ssh_enabled(self, request: Request, guid: str) -> Response:
        self.found(guid)
        return Response({"enabled": False, "reason": "Disabled globally"})
