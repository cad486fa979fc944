"""The v3 door of what a comparison of a broker with the platform found; for those who run the platform."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import ResourceViewSet, link, stamp
from services.models import ServiceBroker
from tenants.access import authorize


class DifferencesViewSet(ResourceViewSet):
    noun = "Service broker"

    def queryset(self) -> QuerySet[ServiceBroker]:
        return ServiceBroker.objects.visible_to(self.user)

    def every(self, request: Request, guid: str) -> Response:
        row: ServiceBroker = self.found(guid)
        authorize(self.user, "platform.view")
        here = f"/v3/service_brokers/{row.guid}"
        links = {"self": link(request, f"{here}/differences"), "service_broker": link(request, here)}
        return Response({"compared_at": stamp(row.compared_at), "differences": row.differences, "links": links})
