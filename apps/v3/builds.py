"""The v3 door of builds: asking for one, watching it, calling it off."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import push
from apps.actions.labels import describe
from apps.models import Build, Package
from apps.v3.apps import Lifecycle
from apps.v3.of_app import PLACES, Describe, OfAppViewSet
from apps.v3.shapes import building as shapes
from apps.v3.sizes import MOST_LOG_RATE, Whole
from paas.lib.errors import Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Choice, Form, Guid, MetadataField, Query, Text
from paas.lib.v3.query import Filter

NO_PACKAGE = "Unable to use package. Ensure that the package exists and you have access to it."
FILTERS: dict[str, Filter] = {"states": Choice("state", tuple(Build.State.values))}


class New(Form):
    package = Guid()
    lifecycle = Lifecycle(required=False, allow_null=True)
    staging_memory_in_mb = Whole(least=1, source="memory_mb")
    staging_disk_in_mb = Whole(least=1, source="disk_mb")
    staging_log_rate_limit_bytes_per_second = Whole(least=-1, most=MOST_LOG_RATE, source="log_rate")
    metadata = MetadataField(required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in sent.items() if value is not None}


class BuildViewSet(OfAppViewSet):
    noun = "Build"
    query = Query(filters={**FILTERS, "package_guids": Text("package__guid"), **PLACES})
    query_in_app = Query(filters=FILTERS)

    def queryset(self) -> QuerySet[Build]:
        joined = Build.objects.select_related("app__space__organization", "package", "droplet", "created_by")
        return joined.visible_to(self.user).defer("app__environment", "environment")

    def present(self, resource: Build) -> dict[str, Any]:
        return shapes.build(self.request, resource)

    def create(self, request: Request) -> Response:
        sent = New.read(request.data)
        guid = sent.pop("package")["guid"]
        visible = Package.objects.select_related("app__space__organization").visible_to(self.user)
        package = by_guid(visible, guid)
        if package is None:
            raise Unprocessable(NO_PACKAGE)
        asked = sent.pop("lifecycle", {})
        if asked and asked.pop("lifecycle") != package.app.lifecycle:
            raise Unprocessable("Lifecycle type must be the app's own")
        return Response(self.present(push.stage(self.user, package, **asked, **sent)), status=201)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(describe(self.user, self.found(guid), **Describe.read(request.data))))

    def cancel(self, request: Request, guid: str) -> Response:
        """Not in Cloud Foundry: a build that has ended stays as it is."""
        return Response(self.present(push.cancel(self.user, self.found(guid))))
