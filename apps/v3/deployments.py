"""The v3 door of deployments: bringing a droplet or an earlier revision up beside what runs."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import deployment as actions
from apps.actions import service_swap
from apps.actions.labels import describe
from apps.models import App, Deployment, Process
from apps.v3.of_app import Describe, OfAppViewSet
from apps.v3.shapes import running as shapes
from apps.v3.sizes import MOST_LOG_RATE, Whole
from paas.lib.errors import Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Choice, Form, Guid, MetadataField, Query, Text, ToOne
from services.models import ServiceInstance
from tenants.access import authorize

STRATEGIES = ("rolling",)
NO_CANARY = (
    "This platform does not make canary deployments: a new version gets requests when all of it is healthy, and one that "
    "never is goes back by itself. Use the strategy 'rolling'."
)
NOT_FOUND = {
    "droplet": "Unable to assign current droplet. Ensure the droplet exists and belongs to this app.",
    "revision": "The revision does not exist",
}


class Options(Form):
    max_in_flight = Whole(least=1)
    web_instances = Whole(least=0)
    memory_in_mb = Whole(least=1)
    disk_in_mb = Whole(least=1)
    log_rate_limit_in_bytes_per_second = Whole(least=-1, most=MOST_LOG_RATE)
    canary = serializers.JSONField(required=False, allow_null=True)

    def validate_canary(self, asked: Any) -> None:
        if asked is not None:
            raise serializers.ValidationError(NO_CANARY)


class OfApp(Form):
    app = ToOne()


class New(Form):
    droplet = Guid(required=False, allow_null=True)
    revision = Guid(required=False, allow_null=True)
    strategy = serializers.CharField(required=False, allow_null=True, max_length=64)
    options = Options(required=False, allow_null=True)
    relationships = OfApp()
    metadata = MetadataField(required=False)

    def validate_strategy(self, asked: str | None) -> str:
        if asked == "canary":
            raise serializers.ValidationError(NO_CANARY)
        if asked and asked not in STRATEGIES:
            raise serializers.ValidationError(f"Strategy '{asked}' is not a supported deployment strategy")
        return asked or "rolling"

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if sent.get("droplet") and sent.get("revision"):
            raise serializers.ValidationError("Cannot set both fields 'droplet' and 'revision'")
        return sent


class Ends(Form):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {"from": ToOne(), "to": ToOne()}  # the one is a word of the language


class Swap(Form):
    relationships = Ends()
    keep = serializers.BooleanField(default=True)


class DeploymentViewSet(OfAppViewSet):
    noun = "Deployment"
    query = Query(
        filters={
            "app_guids": Text("app__guid"),
            "states": Text("reason"),
            "status_values": Choice("value", tuple(Deployment.Value.values)),
            "status_reasons": Text("reason"),
        }
    )

    def queryset(self) -> QuerySet[Deployment]:
        joined = Deployment.objects.select_related("app__space", "revision", "droplet", "previous_droplet")
        mine = joined.visible_to(self.user).defer("app__environment", "revision__environment")
        return mine.prefetch_related(Prefetch("app__processes", Process.objects.only("guid", "type", "app")))

    def present(self, resource: Deployment) -> dict[str, Any]:
        return shapes.deployment(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        guid = sent.pop("relationships")["app"]
        app = App.objects.visible_to(self.user).select_related("space__organization").filter(guid=guid).first()
        if app is None:
            raise Unprocessable("Unable to use app. Ensure that the app exists and you have access to it.")
        authorize(self.user, "app.deploy", app)
        options = {name: value for name, value in (sent.pop("options", None) or {}).items() if value is not None}
        for name, missing in NOT_FOUND.items():
            if asked := sent.pop(name, None):
                rows: Any = getattr(app, f"{name}s")
                sent[name] = rows.filter(guid=asked["guid"]).first()
                if sent[name] is None:
                    raise Unprocessable(missing)
        return Response(self.present(actions.create(self.user, app, options=options, **sent)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(describe(self.user, self.found(guid), **Describe.read(request.data))))

    def swap(self, request: Request, guid: str) -> Response:
        """Let the app use another service in the place of one; what comes of it is the deployment's."""
        app, sent = self.app(guid), Swap.read(request.data)
        authorize(self.user, "service.bind", app)
        ends = {name: self._instance(asked) for name, asked in sent["relationships"].items()}
        made = service_swap.swap(self.user, app, source=ends["from"], target=ends["to"], keep=sent["keep"])
        return Response(self.present(self.found(made.guid)), status=201)

    def _instance(self, guid: str) -> ServiceInstance:
        rows = ServiceInstance.objects.visible_to(self.user).select_related("space__organization", "plan__offering")
        found: ServiceInstance | None = by_guid(rows, guid)
        if found is None:
            raise Unprocessable(f"The service instance could not be found: '{guid}'")
        return found

    def cancel(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.cancel(self.user, self.found(guid))))

    def proceed(self, request: Request, guid: str) -> Response:
        actions.proceed(self.user, self.found(guid))
