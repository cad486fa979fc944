"""The v3 door of droplets, and of which one an app runs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps import downloads, uploads
from apps.actions import app as apps
from apps.actions import droplet as actions
from apps.actions.labels import describe
from apps.models import App, Droplet, Package
from apps.v3.of_app import PLACES, Describe, OfAppViewSet
from apps.v3.shapes import building as shapes
from apps.v3.shapes.running import HIDDEN_IN_LISTS
from apps.v3.uploads import read
from paas.lib.errors import NotFound, Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Choice, Form, MetadataField, Query, ToOne, accepted, link, to_one
from paas.lib.v3.query import Filter
from tenants.access import authorize

NO_APP = "App with guid '{}' does not exist, or you do not have access to it."
NO_DROPLET = "Droplet with guid '{}' does not exist, or you do not have access to it."
NOT_OF_APP = "Unable to assign current droplet. Ensure the droplet exists and belongs to this app."
NO_BITS = "A droplet tgz file must be uploaded as 'bits'"
FILTERS: dict[str, Filter] = {"states": Choice("state", tuple(Droplet.State.values))}


class OfApp(Form):
    app = ToOne()


class New(Form):
    relationships = OfApp()
    process_types = serializers.DictField(
        child=serializers.CharField(max_length=65536), required=False, allow_null=True
    )
    metadata = MetadataField(required=False)


class Copy(Form):
    relationships = OfApp()


def current(name: str, text: str) -> Q:
    """The droplet that the app runs at its next start; anything but true asks for no difference."""
    return Q(current_for__isnull=False) if text == "true" else Q()


class DropletViewSet(OfAppViewSet):
    noun = "Droplet"
    query = Query(filters={**FILTERS, **PLACES})
    query_in_app = Query(filters={**FILTERS, "current": current})
    query_in_package = Query(filters=FILTERS)

    def queryset(self) -> QuerySet[Droplet]:
        joined = Droplet.objects.select_related("app__space__organization", "package")
        return joined.visible_to(self.user).defer("app__environment")

    def present(self, resource: Droplet) -> dict[str, Any]:
        return shapes.droplet(self.request, resource, hidden=HIDDEN_IN_LISTS)

    def told(self, droplet: Droplet) -> dict[str, Any]:
        return self.shown(shapes.droplet, droplet, droplet.app)

    def in_package(self, request: Request, guid: str) -> Response:
        visible = Package.objects.visible_to(self.user)
        package = by_guid(visible, guid)
        if package is None:
            raise NotFound("Package not found")
        return self.page(request, self.queryset().filter(package=package), query=self.query_in_package)

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.told(self.found(guid)))

    def create(self, request: Request) -> Response:
        if "source_guid" in request.query_params:
            return self._copy(request, request.query_params["source_guid"])
        sent = New.read(request.data)
        app = self._named(sent.pop("relationships")["app"])
        return Response(self.told(actions.create(self.user, app, **sent)), status=201)

    def _copy(self, request: Request, guid: str) -> Response:
        app = self._named(Copy.read(request.data)["relationships"]["app"])
        source = by_guid(self.queryset(), guid)
        if source is None:
            raise Unprocessable(NO_DROPLET.format(guid))
        return Response(self.told(actions.copy(self.user, source, app=app)), status=201)

    def _named(self, guid: str) -> App:
        try:
            return self.app(guid)
        except NotFound as error:
            raise Unprocessable(NO_APP.format(guid)) from error

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.told(describe(self.user, self.found(guid), **Describe.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Any:
        return accepted(request, actions.delete(self.user, self.found(guid)))

    def upload(self, request: Request, guid: str) -> Any:
        droplet = self.found(guid)
        authorize(self.user, "app.push", droplet.app)  # before a gigabyte is read
        sent = read(request)
        if sent.bits is None:
            raise Unprocessable(NO_BITS)
        job = uploads.receive_droplet(self.user, droplet, sent.bits.file)
        return accepted(request, job, self.told(self.found(guid)))

    def download(self, request: Request, guid: str) -> Any:
        droplet = self.found(guid)
        key = actions.download(self.user, droplet)
        return downloads.stream(key, filename=f"{droplet.guid}.tgz", content_type="application/gzip")


class CurrentDropletViewSet(DropletViewSet):
    """The droplet that an app runs at its next start."""

    def of_app(self, guid: str) -> Droplet:
        app = self.app(guid)
        droplet = self.queryset().filter(pk=app.droplet_id).first()
        if droplet is None:
            raise NotFound("Droplet not found")  # clients look for exactly these words
        return droplet

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        return Response(self.told(self.of_app(guid)))

    def relationship(self, request: Request, guid: str) -> Response:
        return Response(self._related(guid, self.of_app(guid)))

    def update(self, request: Request, guid: str) -> Response:
        app = self.app(guid)
        asked = ToOne.whole(request.data)
        droplet = self.queryset().filter(app=app, guid=asked).first() if asked and "\0" not in asked else None
        authorize(self.user, "app.deploy", app)
        if droplet is None:
            raise Unprocessable(NOT_OF_APP)
        apps.use_droplet(self.user, app, droplet=droplet)
        return Response(self._related(guid, droplet))

    def _related(self, guid: str, droplet: Droplet) -> dict[str, Any]:
        here = f"/v3/apps/{guid}"
        links = {
            "self": link(self.request, f"{here}/relationships/current_droplet"),
            "related": link(self.request, f"{here}/droplets/current"),
        }
        return {**to_one(droplet.guid), "links": links}
