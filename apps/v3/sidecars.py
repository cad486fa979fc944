"""The v3 door of sidecars: what runs beside a process, in the same container."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import sidecar as actions
from apps.models import Process, Sidecar
from apps.v3.of_app import OfAppViewSet
from apps.v3.shapes import running as shapes
from apps.v3.sizes import Whole
from paas.lib.errors import NotFound
from paas.lib.v3 import Form, Query, no_content


class Change(Form):
    name = serializers.CharField(max_length=255, required=False)
    command = serializers.CharField(max_length=4096, required=False)
    process_types = serializers.ListField(
        child=serializers.CharField(max_length=255),
        required=False,
        allow_empty=False,
        error_messages={"empty": "must have at least 1 process_type"},
    )
    memory_in_mb = Whole(least=1, source="memory_mb")


class New(Change):
    """All but the memory is needed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "command", "process_types"):
            self.fields[name].required = True


class SidecarViewSet(OfAppViewSet):
    noun = "Sidecar"
    query_in_app = Query(labels=False)

    def queryset(self) -> QuerySet[Sidecar]:
        return Sidecar.objects.select_related("app__space").visible_to(self.user).defer("app__environment")

    def present(self, resource: Sidecar) -> dict[str, Any]:
        return shapes.sidecar(self.request, resource, hidden=shapes.HIDDEN_IN_LISTS)

    def told(self, sidecar: Sidecar) -> dict[str, Any]:
        return self.shown(shapes.sidecar, sidecar, sidecar.app)

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.told(self.found(guid)))

    def in_app(self, request: Request, guid: str) -> Response:
        """An app's sidecars are shown with their commands to those who may see secrets."""
        app = self.app(guid)
        return self.shown_in_app(request, shapes.sidecar, self.of(app), app)

    def of_process(self, request: Request, guid: str, type: str | None = None) -> Response:
        """The sidecars of the process with the guid, or of that type of the app with the guid."""
        visible = Process.objects.visible_to(self.user)
        asked = {"guid": guid} if type is None else {"app": self.app(guid), "type": type}
        process = (
            visible.select_related("app__space").filter(**asked).first() if "\0" not in guid + (type or "") else None
        )
        if process is None:
            raise NotFound("Process not found")
        rows = self.queryset().filter(app=process.app_id, process_types__contains=[process.type])
        return self.shown_in_app(request, shapes.sidecar, rows, process.app)

    def create(self, request: Request, guid: str) -> Response:
        sidecar = actions.create(self.user, self.app(guid), **New.read(request.data))
        return Response(self.told(sidecar), status=201)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.told(actions.update(self.user, self.found(guid), **Change.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        actions.delete(self.user, self.found(guid))
        return no_content()
