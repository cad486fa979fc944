"""The v3 door of revisions: the versions of an app, and which of them can be deployed again."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apps.actions import environment
from apps.actions.labels import describe
from apps.models import App, Droplet, Revision
from apps.v3.of_app import Describe, OfAppViewSet
from apps.v3.shapes import running as shapes
from paas.lib.errors import BadQueryParameter
from paas.lib.v3 import Query, link
from paas.lib.v3.query import values


def numbers(column: str) -> Any:
    """A comma list of whole numbers that the column must be one of."""

    def condition(name: str, text: str) -> Q:
        asked = values(text)
        if not all(value.isascii() and value.isdigit() and len(value) < 10 for value in asked):
            raise BadQueryParameter(f"{name} must be whole numbers")
        return Q(**{f"{column}__in": [int(value) for value in asked]})

    return condition


def deployable(name: str, text: str) -> Q:
    if text not in ("true", "false"):
        raise BadQueryParameter(f"{name} must be 'true' or 'false'")
    staged = Q(droplet__state=Droplet.State.STAGED)
    return staged if text == "true" else Q(droplet=None) | ~staged


class RevisionViewSet(OfAppViewSet):
    noun = "Revision"
    query_in_app = Query(filters={"versions": numbers("version"), "deployable": deployable})

    def queryset(self) -> QuerySet[Revision]:
        joined = Revision.objects.select_related("app__space", "droplet").visible_to(self.user)
        return joined.defer("environment", "app__environment")

    def present(self, resource: Revision) -> dict[str, Any]:
        return _shape(self.request, resource, hidden=shapes.HIDDEN_IN_LISTS)

    def retrieve(self, request: Request, guid: str, **_: str) -> Response:
        revision = self.found(guid)
        return Response(self.shown(_shape, revision, revision.app))

    def deployed(self, request: Request, guid: str) -> Response:
        """The versions that run: the one that serves, and the one that is coming up."""
        app = self.app(guid)
        running = [pk for pk in (app.target_id, app.serving_id) if pk] if app.state == App.State.STARTED else []
        rows = self.of(app).filter(deployments__in=running).distinct()
        return self.page(request, rows, query=self.query_in_app)

    def variables(self, request: Request, guid: str) -> Response:
        revision = self.found(guid)
        here = f"/v3/revisions/{guid}"
        links = {
            "self": link(request, f"{here}/environment_variables"),
            "revision": link(request, here),
            "app": link(request, f"/v3/apps/{revision.app.guid}"),
        }
        return Response({"var": environment.show_revision_variables(self.user, revision), "links": links})

    def update(self, request: Request, guid: str) -> Response:
        revision = describe(self.user, self.found(guid), **Describe.read(request.data))
        return Response(self.shown(_shape, revision, revision.app))


def _shape(request: Request, revision: Revision, *, hidden: str = "") -> dict[str, Any]:
    ready = revision.droplet is not None and revision.droplet.state == Droplet.State.STAGED
    return shapes.revision(request, revision, ready, hidden=hidden)
