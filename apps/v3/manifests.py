"""The v3 door of manifests: applied to a space, compared with it, and read back from an app."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import manifest
from apps.actions.manifest.document import MOST_BYTES
from apps.models import App
from paas.lib.errors import BadRequest
from paas.lib.v3 import ResourceViewSet, accepted
from tenants.access import authorize
from tenants.models import Space

MEDIA_TYPE = "application/x-yaml"
YAML = (MEDIA_TYPE, "application/yaml", "text/x-yaml", "text/yaml")


class ManifestParser(BaseParser):
    """Hands the body on as it is; it is read once its sender is known to be somebody who may apply it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:
        if (media_type or "").partition(";")[0].strip().lower() not in YAML:
            raise BadRequest("Bad request: Content-Type must be yaml")
        return bytes(stream.read(MOST_BYTES + 1))


def sent(request: Request) -> list[Any]:
    """The applications in the body; an empty one never comes to the parser."""
    return manifest.read(request.data if isinstance(request.data, bytes) else b"")


class SpaceManifestViewSet(ResourceViewSet):
    noun = "Space"
    parser_classes = (ManifestParser,)

    def queryset(self) -> Any:
        return Space.objects.visible_to(self.user).select_related("organization__quota", "region", "quota")

    def apply(self, request: Request, guid: str) -> Any:
        space = self._allowed(guid)
        return accepted(request, manifest.apply(self.user, space, applications=sent(request)))

    def diff(self, request: Request, guid: str) -> Response:
        space = self._allowed(guid)
        changes = manifest.diff(self.user, space, applications=sent(request))
        return Response({"diff": changes}, status=201)

    def _allowed(self, guid: str) -> Space:
        space: Space = self.found(guid)
        authorize(self.user, "app.push", space)
        return space


class AppManifestViewSet(ResourceViewSet):
    noun = "App"

    def queryset(self) -> Any:
        return App.objects.visible_to(self.user).select_related("space__organization")

    def show(self, request: Request, guid: str) -> HttpResponse:
        written = manifest.write([manifest.show(self.user, self.found(guid))])
        return HttpResponse(written, content_type=MEDIA_TYPE)
