"""The v3 door of bindings: the credentials of a service for an app, or (a key) for somebody outside."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.models import App
from apps.v3.of_app import Describe
from apps.v3.shapes import running
from paas.lib.errors import Unprocessable
from paas.lib.v3 import (
    Choice,
    Form,
    MetadataField,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToOne,
    accepted,
    no_content,
)
from services import live
from services.actions import binding as actions
from services.actions import parameters
from services.models import Binding, ServiceInstance
from services.v3 import attached


class Ends(Form):
    service_instance = ToOne()
    app = ToOne(required=False)


class New(Form):
    type = serializers.ChoiceField(["app", "key"], error_messages={"invalid_choice": "must be one of 'app', 'key'"})
    name = serializers.CharField(max_length=255, required=False, allow_null=True)
    strategy = serializers.ChoiceField(
        ["single", "multiple"], default="single", error_messages={"invalid_choice": "must be 'single' or 'multiple'"}
    )
    relationships = Ends()
    parameters = serializers.DictField(required=False, allow_null=True)
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        has_app = "app" in sent["relationships"]
        if sent["type"] == "key" and has_app:
            raise serializers.ValidationError("Relationships app is not allowed when type is 'key'")
        if sent["type"] == "key" and not sent.get("name"):
            raise serializers.ValidationError({"name": ["must be given when type is 'key'"]})
        if sent["type"] == "app" and not has_app:
            raise serializers.ValidationError("Relationships app must be given when type is 'app'")
        return sent


def apps_of(request: Request, rows: list[Binding]) -> dict[str, list[dict[str, Any]]]:
    bound: list[Any] = [row.app for row in rows if row.app]
    return {"apps": [running.app(request, app) for app in bound]}


def instances_of(request: Request, rows: list[Binding]) -> dict[str, list[dict[str, Any]]]:
    return {"service_instances": [attached.instance(request, row.instance) for row in rows]}


class CredentialBindingViewSet(ResourceViewSet):
    noun = "Service credential binding"
    query = Query(
        filters={
            "names": Text("name"),
            "type": Choice("type", tuple(Binding.Type.values)),
            "app_guids": Text("app__guid"),
            "app_names": Names("app__name"),
            "service_instance_guids": Text("instance__guid"),
            "service_instance_names": Names("instance__name"),
            "service_plan_guids": Text("instance__plan__guid"),
            "service_plan_names": Text("instance__plan__name"),
            "service_offering_guids": Text("instance__plan__offering__guid"),
            "service_offering_names": Text("instance__plan__offering__name"),
        },
        orders={"name": "name"},
        includes={"app": apps_of, "service_instance": instances_of},
    )

    def queryset(self) -> QuerySet[Binding]:
        joined = Binding.objects.select_related(
            "app__space__organization", "app__droplet", "instance__space__organization", "instance__plan__offering"
        )
        secrets = ("credentials", "parameters", "syslog_drain_url", "volume_mounts", "wish")
        of_instance = (f"instance__{name}" for name in secrets if name != "volume_mounts")
        return joined.visible_to(self.user).defer(*secrets, *of_instance, "app__environment")

    def present(self, resource: Binding) -> dict[str, Any]:
        return attached.binding(self.request, resource)

    def create(self, request: Request) -> Any:
        sent = New.read(request.data)
        ends, kind, strategy = sent.pop("relationships"), sent.pop("type"), sent.pop("strategy")
        instance = self._instance(ends["service_instance"])
        name = sent.pop("name", None) or ""
        if kind == "key":
            made = actions.create_key(self.user, instance, name=name, **sent)
        else:
            app = self._app(ends["app"])
            made = actions.create(self.user, instance, app=app, name=name, multiple=strategy == "multiple", **sent)
        return accepted(request, made.job) if made.job else Response(self.present(made), status=201)

    def _instance(self, guid: str) -> ServiceInstance:
        joined = ServiceInstance.objects.select_related("space__organization", "plan__offering")
        found: ServiceInstance | None = joined.visible_to(self.user).filter(guid=guid).first()
        if found is None:
            raise Unprocessable(f"The service instance could not be found: '{guid}'")
        return found

    def _app(self, guid: str) -> App:
        found = App.objects.visible_to(self.user).select_related("space__organization").filter(guid=guid).first()
        if found is None:
            raise Unprocessable(f"The app could not be found: '{guid}'")
        return found

    def update(self, request: Request, guid: str) -> Response:
        metadata = Describe.read(request.data).get("metadata", {})
        return Response(self.present(actions.describe(self.user, self.found(guid), metadata=metadata)))

    def destroy(self, request: Request, guid: str) -> Any:
        job = actions.delete(self.user, self.found(guid))
        return accepted(request, job) if job else no_content()

    def details(self, request: Request, guid: str) -> Response:
        return Response(actions.show(self.user, self.found(guid)))

    def parameters(self, request: Request, guid: str) -> Response:
        row: Binding = self.found(guid)
        parameters.ask_of_binding(self.user, row)
        return Response(live.parameters_of(row))
