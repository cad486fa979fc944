"""The v3 door of an app's environment."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import app as apps
from apps.actions import environment as actions
from apps.v3.of_app import OfAppViewSet
from paas.lib.v3 import Form, link


class Variables(Form):
    var = serializers.DictField()


class EnvironmentViewSet(OfAppViewSet):
    noun = "App"

    def everything(self, request: Request, guid: str) -> Response:
        return Response(actions.show(self.user, self.app(guid)))

    def variables(self, request: Request, guid: str) -> Response:
        return self._told(guid, actions.show_variables(self.user, self.app(guid)))

    def update(self, request: Request, guid: str) -> Response:
        app = self.app(guid)
        app = apps.set_environment(self.user, app, variables=Variables.read(request.data)["var"])
        return self._told(guid, app.environment)

    def _told(self, guid: str, variables: dict[str, Any]) -> Response:
        here = f"/v3/apps/{guid}"
        links = {
            "self": link(self.request, f"{here}/environment_variables"),
            "app": link(self.request, here),
        }
        return Response({"var": variables, "links": links})
