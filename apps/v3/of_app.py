"""What every door below an app shares: finding the app, listing what is its own, hiding what may hold a secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions.environment import show_commands
from apps.models import App
from apps.v3.shapes.running import HIDDEN
from paas.lib.errors import NotFound
from paas.lib.models import by_guid
from paas.lib.v3 import Form, MetadataField, Query, ResourceViewSet, Text
from tenants.access import may

Shape = Callable[..., dict[str, Any]]

PLACES = {
    "app_guids": Text("app__guid"),
    "space_guids": Text("app__space__guid"),
    "organization_guids": Text("app__space__organization__guid"),
}


class Describe(Form):
    """A body that changes labels and annotations only."""

    metadata = MetadataField(required=False)


class OfAppViewSet(ResourceViewSet):
    """Things that belong to an app, listed across apps and below their own."""

    query_in_app: ClassVar[Query] = Query()

    def app(self, guid: str) -> App:
        """Return the visible app; what is below one that is not visible is not found because of the app."""
        visible = App.objects.visible_to(self.user).select_related("space__organization")
        app = by_guid(visible, guid)
        if app is None:
            raise NotFound("App not found")
        return app

    def of(self, app: App) -> QuerySet[Any]:
        """The app's own rows."""
        return self.queryset().filter(app=app)

    def in_app(self, request: Request, guid: str) -> Response:
        return self.page(request, self.of(self.app(guid)), query=self.query_in_app)

    def shown(self, shape: Shape, row: Any, app: App) -> dict[str, Any]:
        """Return the row's shape, with its commands for those who may see secrets; that they read them is recorded."""
        hidden, whole = shape(self.request, row, hidden=HIDDEN), shape(self.request, row)
        if whole == hidden or not may(self.user, "app.see_secrets", app):
            return hidden
        if self.request.method in SAFE_METHODS:
            show_commands(self.user, app, of=self.noun.lower(), guid=row.guid)
        return whole

    def shown_in_app(self, request: Request, shape: Shape, rows: QuerySet[Any], app: App) -> Response:
        """Answer a page of the app's own rows in the same manner; one reading, however many there are."""
        hidden = "" if may(self.user, "app.see_secrets", app) else HIDDEN
        answer = self.page(
            request, rows, query=self.query_in_app, present=lambda row: shape(request, row, hidden=hidden)
        )
        if not hidden and answer.data["resources"]:
            show_commands(self.user, app, of=f"{self.noun.lower()}s")
        return answer
