"""The v3 door of stacks: they come with the platform, and only their metadata changes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import stack as actions
from apps.models import App, Stack
from apps.v3.apps import AppViewSet
from apps.v3.of_app import Describe
from apps.v3.shapes import building as shapes
from apps.v3.shapes import running
from paas.lib.errors import Unprocessable
from paas.lib.v3 import Bool, Names, Query, ResourceViewSet
from tenants.access import authorize

FIXED = "Stacks are part of the platform's version: they come and go when the platform is updated, and not one by one."


class StackViewSet(ResourceViewSet):
    noun = "Stack"
    query = Query(filters={"names": Names("name"), "default": Bool("is_default")}, orders={"name": "name"})

    def queryset(self) -> QuerySet[Stack]:
        return Stack.objects.all()

    def present(self, resource: Stack) -> dict[str, Any]:
        return shapes.stack(self.request, resource)

    def create(self, request: Request) -> Response:
        authorize(self.user, "platform.manage")
        raise Unprocessable(FIXED)

    def update(self, request: Request, guid: str) -> Response:
        return Response(self.present(actions.update(self.user, self.found(guid), **Describe.read(request.data))))

    def destroy(self, request: Request, guid: str) -> Response:
        self.found(guid)
        return self.create(request)

    def apps(self, request: Request, guid: str) -> Response:
        """The apps that are built for the stack, as far as the caller may see them."""
        mine = App.objects.select_related("droplet", "space__quota", "space__organization__quota")
        rows = mine.visible_to(self.user).filter(stack=self.found(guid).name, lifecycle=App.Lifecycle.BUILDPACK)
        return self.page(
            request,
            rows.defer("environment"),
            query=AppViewSet.query,
            present=lambda app: running.app(request, app),
        )
