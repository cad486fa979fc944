"""The v3 door of the spaces that an instance is shared with."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound, Unprocessable
from paas.lib.models import by_guid
from paas.lib.v3 import Query, ResourceViewSet, ToMany, link, no_content, to_many
from services.actions import sharing as actions
from services.models import Binding, ServiceInstance
from services.v3.service_instances import PLACES
from tenants.models import Space


class SharedSpacesViewSet(ResourceViewSet):
    noun = "Service instance"
    shares = Query(guids=False, stamps=False, labels=False, fields=PLACES)

    def queryset(self) -> QuerySet[ServiceInstance]:
        joined = ServiceInstance.objects.select_related("space__organization", "plan__offering__broker")
        return joined.visible_to(self.user)

    def every(self, request: Request, guid: str) -> Response:
        row = self.found(guid)
        self.shares.check(request.query_params)
        spaces = self._spaces(row)
        return Response(self._told(row, spaces) | self.shares.included(request, spaces))

    def share(self, request: Request, guid: str) -> Response:
        row: ServiceInstance = self.found(guid)
        guids = ToMany.whole(request.data)
        visible = Space.objects.visible_to(self.user).select_related("organization")
        there = {space.guid: space for space in visible.filter(guid__in=guids)}
        if missing := [each for each in guids if each not in there]:
            raise Unprocessable(
                f"Unable to share service instance '{row.name}' with spaces {missing}. "
                "Ensure the spaces exist and that you have access to them."
            )
        row = actions.share(self.user, row, spaces=[there[each] for each in dict.fromkeys(guids)])
        return Response(self._told(row, self._spaces(row)))

    def unshare(self, request: Request, guid: str, space: str) -> Any:
        row: ServiceInstance = self.found(guid)
        found = by_guid(Space.objects.filter(shares__instance=row), space)
        if found is None:
            raise Unprocessable(
                f"Unable to unshare service instance from space {space}. Ensure the space exists and the service "
                "instance has been shared to this space."
            )
        actions.unshare(self.user, row, space=found)
        return no_content()

    def usage_summary(self, request: Request, guid: str) -> Response:
        row: ServiceInstance = self._owned(guid)
        bound = Binding.objects.there().filter(instance=row, type=Binding.Type.APP)
        counts = dict(bound.values_list("app__space__guid").annotate(apps=Count("app", distinct=True)).order_by())
        here = f"/v3/service_instances/{row.guid}"
        summary = [
            {"space": {"guid": each.guid}, "bound_app_count": counts.get(each.guid, 0)} for each in self._spaces(row)
        ]
        links = {
            "self": link(request, f"{here}/relationships/shared_spaces/usage_summary"),
            "shared_spaces": link(request, f"{here}/relationships/shared_spaces"),
            "service_instance": link(request, here),
        }
        return Response({"usage_summary": summary, "links": links})

    def _owned(self, guid: str) -> ServiceInstance:
        """An instance as its own space sees it: whom else it is shared with is not for the others to know."""
        row: ServiceInstance = self.found(guid)
        if not Space.objects.visible_to(self.user).filter(pk=row.space_id).exists():
            raise NotFound("Service instance not found")
        return row

    @staticmethod
    def _spaces(row: ServiceInstance) -> list[Space]:
        return list(row.shared_spaces.select_related("organization").order_by("shares__id"))

    def _told(self, row: ServiceInstance, spaces: list[Space]) -> dict[str, Any]:
        here = link(self.request, f"/v3/service_instances/{row.guid}/relationships/shared_spaces")
        return to_many(space.guid for space in spaces) | {"links": {"self": here}}
