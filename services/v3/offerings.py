"""The v3 door of service offerings: read by whoever may use a plan of theirs, described and purged by the broker's keepers."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.v3 import Bool, Fields, Form, MetadataField, Names, Query, ResourceViewSet, Text, no_content
from services.actions import offering as actions
from services.models import Offering, Plan, ServiceBroker
from services.v3 import catalogue_filters as filters
from services.v3 import catalogue_shapes as shapes
from services.v3.catalogue_readers import ReadByAnybody


class Change(Form):
    metadata = MetadataField(required=False)


def with_broker(offerings: QuerySet[Offering]) -> QuerySet[Offering]:
    """Load each broker once, with its space and without its secrets."""
    places = ("space__organization__quota", "space__quota")
    brokers = ServiceBroker.objects.defer("credentials", "wish").select_related(*places)
    return offerings.prefetch_related(Prefetch("broker", brokers))


class ServiceOfferingViewSet(ResourceViewSet):
    noun = "Service offering"
    query = Query(
        filters={
            "names": Names("name"),
            "available": Bool("available"),
            "service_broker_guids": Text("broker__guid"),
            "service_broker_names": Names("broker__name"),
            "space_guids": filters.with_plans_usable_in_spaces,
            "organization_guids": filters.with_plans_usable_in_organizations,
        },
        orders={"name": "name"},
        fields={"service_broker": Fields("service_brokers", lambda row: row.broker, shapes.BROKER_FIELDS)},
    )

    permission_classes = (ReadByAnybody,)

    def queryset(self) -> QuerySet[Offering]:
        """Without a token: those with a plan that is open to everybody."""
        if self.user is None:
            return with_broker(Offering.objects.filter(pk__in=Plan.objects.public().values("offering")))
        return with_broker(Offering.objects.visible_to(self.user))

    def present(self, resource: Offering) -> dict[str, Any]:
        return shapes.offering(self.request, resource)

    def update(self, request: Request, guid: str) -> Response:
        actions.update(self.user, self.found(guid), **Change.read(request.data))
        return Response(self.present(self.found(guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        """Delete a service offering without instances; with ``purge`` forget it and all that was made of it."""
        verb = actions.purge if request.query_params.get("purge") == "true" else actions.delete
        verb(self.user, self.found(guid))
        return no_content()
