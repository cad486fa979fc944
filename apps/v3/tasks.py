"""The v3 door of tasks: commands that run once, beside the app."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import task as actions
from apps.actions.labels import describe
from apps.models import App, Droplet, Process, Task
from apps.v3.of_app import PLACES, Describe, OfAppViewSet
from apps.v3.revisions import numbers
from apps.v3.shapes import running as shapes
from apps.v3.sizes import Sizes
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Choice, Form, Guid, MetadataField, Query, Text
from paas.lib.v3.query import Filter
from tenants.access import authorize

NO_DROPLET = "Task must have a droplet. Specify droplet or assign current droplet to app."
NO_TEMPLATE = "Invalid template. Ensure that the process exists and belongs to this app."


class Template(Form):
    process = Guid()


class New(Sizes):
    command = serializers.CharField(max_length=4096, required=False, allow_null=True)
    name = serializers.CharField(max_length=255, required=False, allow_null=True)
    template = Template(required=False, allow_null=True)
    droplet_guid = serializers.CharField(max_length=255, required=False, allow_null=True)
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if not sent.get("command") and not sent.get("template"):
            raise serializers.ValidationError("Command can't be blank unless a process is given as the template")
        return sent


FILTERS: dict[str, Filter] = {"names": Text("name"), "states": Choice("state", tuple(Task.State.values))}


class TaskViewSet(OfAppViewSet):
    noun = "Task"
    query = Query(filters={**FILTERS, **PLACES})
    query_in_app = Query(filters={**FILTERS, "sequence_ids": numbers("sequence_id")})

    def queryset(self) -> QuerySet[Task]:
        return Task.objects.select_related("app__space", "droplet").visible_to(self.user).defer("app__environment")

    def present(self, resource: Task) -> dict[str, Any]:
        return shapes.task(self.request, resource, hidden=shapes.HIDDEN_IN_LISTS)

    def told(self, task: Task) -> dict[str, Any]:
        return self.shown(shapes.task, task, task.app)

    def in_app(self, request: Request, guid: str) -> Response:
        """The app's own list shows the commands to those who may see secrets; ``cf tasks`` prints them."""
        app = self.app(guid)
        return self.shown_in_app(request, shapes.task, self.of(app), app)

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.told(self.found(guid)))

    def create(self, request: Request, guid: str) -> Response:
        app = self.app(guid)
        authorize(self.user, "task.run", app)
        sent = New.read(request.data)
        droplet, template = self._droplet(app, sent), self._template(app, sent)
        return Response(
            self.told(actions.create(self.user, app, droplet=droplet, template=template, **sent)), status=202
        )

    @staticmethod
    def _droplet(app: App, sent: dict[str, Any]) -> Droplet | None:
        asked = sent.pop("droplet_guid", None)
        found = app.droplets.filter(guid=asked).first() if asked else None
        if asked and found is None:
            raise Unprocessable(NO_DROPLET)
        return found

    @staticmethod
    def _template(app: App, sent: dict[str, Any]) -> Process | None:
        asked = sent.pop("template", None)
        found = app.processes.filter(guid=asked["process"]["guid"]).first() if asked else None
        if asked and found is None:
            raise Unprocessable(NO_TEMPLATE)
        return found

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.told(describe(self.user, self.found(guid), **Describe.read(request.data))))

    def cancel(self, request: Request, guid: str) -> Response:
        return Response(self.told(actions.cancel(self.user, self.found(guid))), status=202)
