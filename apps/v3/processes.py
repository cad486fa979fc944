"""The v3 door of processes: how many of each type run, how large they are, how their health is checked."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps import live
from apps.actions import process as actions
from apps.models import Process
from apps.v3 import stats
from apps.v3.health import Liveness, Readiness
from apps.v3.of_app import PLACES, OfAppViewSet
from apps.v3.shapes import running as shapes
from apps.v3.sizes import Scale
from paas.lib.errors import NotFound
from paas.lib.v3 import Form, MetadataField, Query, Text, link, no_content


class Change(Form):
    command = serializers.CharField(
        max_length=4096,
        required=False,
        allow_null=True,
        error_messages={"max_length": "must be between 1 and 4096 characters"},
    )
    health_check = Liveness(required=False)
    readiness_health_check = Readiness(required=False)
    metadata = MetadataField(required=False)


class ProcessViewSet(OfAppViewSet):
    """A process has two URLs, its own and the one of its type below its app; both take the same verbs."""

    noun = "Process"
    query = Query(filters={"types": Text("type"), **PLACES})
    query_in_app = Query(filters={"types": Text("type")})

    def queryset(self) -> QuerySet[Process]:
        joined = Process.objects.select_related("app__space", "app__droplet", "app__target__revision")
        return joined.visible_to(self.user).defer("app__environment", "app__target__revision__environment")

    def present(self, resource: Process) -> dict[str, Any]:
        return shapes.process(self.request, resource, hidden=shapes.HIDDEN_IN_LISTS)

    def one(self, guid: str, type: str | None) -> Process:
        """Return the process with the guid, or the one of that type of the app with the guid."""
        if type is None:
            process: Process = self.found(guid)
            return process
        typed = self.of(self.app(guid)).filter(type=type).first() if "\0" not in type else None
        if typed is None:
            raise NotFound("Process not found")
        return typed

    def told(self, process: Process) -> dict[str, Any]:
        return self.shown(shapes.process, process, process.app)

    def retrieve(self, request: Request, guid: str, type: str | None = None, **_: str) -> Response:
        return Response(self.told(self.one(guid, type)))

    def update(self, request: Request, guid: str, type: str | None = None) -> Response:
        process = self.one(guid, type)
        sent = Change.read(request.data)
        checks = sent.pop("health_check", {}) | sent.pop("readiness_health_check", {})
        return Response(self.told(actions.update(self.user, process, **sent, **checks)))

    def scale(self, request: Request, guid: str, type: str | None = None) -> Response:
        process = actions.scale(self.user, self.one(guid, type), **Scale.read(request.data))
        return Response(self.told(process), status=202)

    def stats(self, request: Request, guid: str, type: str | None = None) -> Response:
        process = self.one(guid, type)
        return Response({"resources": [stats.entry(shown) for shown in live.instances(process.app, [process])]})

    def instances(self, request: Request, guid: str, type: str | None = None) -> Response:
        process = self.one(guid, type)
        here = f"/v3/processes/{process.guid}"
        return Response(
            {
                "resources": [stats.brief(shown) for shown in live.instances(process.app, [process])],
                "links": {"self": link(request, f"{here}/process_instances"), "process": link(request, here)},
            }
        )

    def restart_instance(self, request: Request, guid: str, index: str, type: str | None = None) -> Any:
        process = self.one(guid, type)
        if not (index.isascii() and index.isdigit() and len(index) < 10):
            raise NotFound("Instance not found")
        actions.restart_instance(self.user, process, index=int(index))
        return no_content()
