"""The v3 door of what may be switched on for an app."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import feature as actions
from apps.models import App
from apps.v3.of_app import OfAppViewSet
from paas.lib.errors import NotFound
from paas.lib.v3 import Form
from tenants.access import authorize

# name -> what it does
FEATURES = {
    "ssh": "Enable SSHing into the app.",
    "revisions": "Enable versioning of an application",
    "service-binding-k8s": "Enable k8s service bindings for the app",
    "file-based-vcap-services": "Enable file-based VCAP service bindings for the app",
}


class Feature(Form):
    enabled = serializers.BooleanField()


class AppFeatureViewSet(OfAppViewSet):
    def every(self, request: Request, guid: str) -> Response:
        app = self.app(guid)
        return Response({"resources": [self._told(app, name) for name in FEATURES]})

    def one(self, request: Request, guid: str, name: str) -> Response:
        return Response(self._told(self.app(guid), name))

    def update(self, request: Request, guid: str, name: str) -> Response:
        app = self.app(guid)
        self._told(app, name)
        authorize(self.user, "app.update", app)
        enabled = Feature.read(request.data)["enabled"]
        return Response(self._told(actions.switch(self.user, app, name=name, enabled=enabled), name))

    @staticmethod
    def _told(app: App, name: str) -> dict[str, Any]:
        if name not in FEATURES:
            raise NotFound("Feature not found")
        return {"name": name, "description": FEATURES[name], "enabled": actions.is_on(app, name)}
