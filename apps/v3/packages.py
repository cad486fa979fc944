"""The v3 door of packages: an app's source, or the name of its image."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps import downloads, uploads
from apps.actions import package as actions
from apps.actions import push
from apps.actions.labels import describe
from apps.models import App, Package
from apps.v3.droplets import Copy, OfApp
from apps.v3.of_app import PLACES, Describe, OfAppViewSet
from apps.v3.shapes import building as shapes
from apps.v3.uploads import read
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Choice, Form, MetadataField, Query, accepted
from paas.lib.v3.query import Filter
from tenants.access import authorize

NO_APP = "App is invalid. Ensure it exists and you have access to it."
NO_PACKAGE = "Source package is invalid. Ensure it exists and you have access to it."
FILTERS: dict[str, Filter] = {
    "states": Choice("state", tuple(Package.State.values)),
    "types": Choice("type", ("bits", "docker")),
}


class Image(Form):
    """Where an image is and who may fetch it; bits have nothing of that."""

    image = serializers.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$",
        max_length=512,
        required=False,
        error_messages={"invalid": "is not an image"},
    )
    username = serializers.CharField(max_length=255, required=False, allow_null=True)
    password = serializers.CharField(max_length=4096, required=False, allow_null=True, trim_whitespace=False)


class New(Form):
    type = serializers.ChoiceField(
        ["bits", "docker"], error_messages={"invalid_choice": "must be one of 'bits', 'docker'"}
    )
    data = Image(required=False, allow_null=True)  # type: ignore[assignment]
    relationships = OfApp()
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        data = sent.pop("data", None) or {}
        if sent["type"] == "bits" and data:
            raise serializers.ValidationError("Data must be empty if provided for bits packages")
        if sent["type"] == "docker":
            if "image" not in data:
                raise serializers.ValidationError("Data Image required")
            sent["image"] = data.pop("image")
            sent["credentials"] = {name: value for name, value in data.items() if value}
        return sent


class PackageViewSet(OfAppViewSet):
    noun = "Package"
    query = Query(filters={**FILTERS, **PLACES})
    query_in_app = Query(filters=FILTERS)

    def queryset(self) -> QuerySet[Package]:
        joined = Package.objects.select_related("app__space__organization")
        return joined.visible_to(self.user).defer("app__environment")

    def present(self, resource: Package) -> dict[str, Any]:
        return shapes.package(self.request, resource)

    def create(self, request: Request) -> Response:
        if "source_guid" in request.query_params:
            return self._copy(request, request.query_params["source_guid"])
        sent = New.read(request.data)
        app = self._named(sent.pop("relationships")["app"])
        return Response(self.present(push.create_package(self.user, app, **sent)), status=201)

    def _copy(self, request: Request, guid: str) -> Response:
        app = self._named(Copy.read(request.data)["relationships"]["app"])
        source = by_guid(self.queryset(), guid)
        if source is None:
            raise Unprocessable(NO_PACKAGE)
        return Response(self.present(actions.copy(self.user, source, app=app)), status=201)

    def _named(self, guid: str) -> App:
        try:
            return self.app(guid)
        except NotFound as error:
            raise Unprocessable(NO_APP) from error

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(describe(self.user, self.found(guid), **Describe.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def upload(self, request: Request, guid: str) -> Response:
        """Answer when the package is READY, so that no client has to poll for it."""
        package = self.found(guid)
        authorize(self.user, "app.push", package.app)  # before a gigabyte is read
        try:
            sent = read(request)
        except Unprocessable as error:
            uploads.refuse(self.user, package, error=error)
        bits = sent.bits.file if sent.bits else None
        return Response(self.present(uploads.receive(self.user, package, bits=bits, resources=sent.resources)))

    def download(self, request: Request, guid: str) -> Any:
        package = self.found(guid)
        key = actions.download(self.user, package)
        return downloads.stream(key, filename=f"{package.guid}.zip", content_type="application/zip")
