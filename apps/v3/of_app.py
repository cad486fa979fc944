"""What every door below an app shares: finding the app, listing what is its own, hiding what may hold a secret."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apps.models import App
from apps.v3.shapes.running import HIDDEN
from paas.lib.errors import NotFound
from paas.lib.v3 import Form, MetadataField, Query, ResourceViewSet, Text
from tenants.access import may

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
        app = visible.filter(guid=guid).first() if "\0" not in guid else None
        if app is None:
            raise NotFound("App not found")
        return app

    def of(self, app: App) -> QuerySet[Any]:
        """The app's own rows."""
        return self.queryset().filter(app=app)

    def in_app(self, request: Request, guid: str) -> Response:
        return self.page(request, self.of(self.app(guid)), query=self.query_in_app)

    def hidden(self, place: Any) -> str:
        """Return what stands in for a command there: nothing for those who may see secrets."""
        return "" if may(self.user, "app.see_secrets", place) else HIDDEN
