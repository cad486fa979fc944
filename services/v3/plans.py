"""The v3 door of service plans and of who may use them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound, Unprocessable
from paas.lib.v3 import Fields, Form, Guid, MetadataField, Names, Query, ResourceViewSet, Text, no_content
from services.actions import plan as actions
from services.models import Offering, Plan
from services.v3 import catalogue_filters as filters
from services.v3 import catalogue_shapes as shapes
from services.v3.catalogue_readers import ReadByAnybody
from services.v3.offerings import with_broker
from tenants.models import Organization
from tenants.v3 import shapes as places

TYPES = ("public", "admin", "organization")
NO_ORGANIZATIONS = "Could not find Organizations with guids: {}"


class Change(Form):
    metadata = MetadataField(required=False)


class Visibility(Form):
    type = serializers.ChoiceField(
        TYPES, error_messages={"invalid_choice": f"must be one of {', '.join(repr(each) for each in TYPES)}"}
    )
    organizations = Guid(many=True, required=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        by_organization = sent["type"] == Plan.Visibility.ORGANIZATION
        if by_organization and not sent.get("organizations"):
            raise serializers.ValidationError({"organizations": ["must name at least one organization"]})
        if not by_organization and sent.get("organizations"):
            raise serializers.ValidationError(
                {"organizations": [f"must not be given with the visibility type '{sent['type']}'"]}
            )
        return sent


def _offerings(request: Any, rows: list[Plan]) -> dict[str, list[dict[str, Any]]]:
    found = {row.offering_id: row.offering for row in rows}
    return {"service_offerings": [shapes.offering(request, row) for row in found.values()]}


def _places(request: Any, rows: list[Plan]) -> dict[str, list[dict[str, Any]]]:
    """The spaces of brokers that serve only one, and their organizations."""
    spaces = {row.offering.broker.space_id: row.offering.broker.space for row in rows}
    there = [space for space in spaces.values() if space]
    organizations = {space.organization_id: space.organization for space in there}
    return {
        "spaces": [places.space(request, space) for space in there],
        "organizations": [places.organization(request, organization) for organization in organizations.values()],
    }


class ServicePlanViewSet(ResourceViewSet):
    noun = "Service plan"
    query = Query(
        filters={
            "names": Names("name"),
            "available": filters.available,
            "broker_catalog_ids": Text("catalog_id"),
            "space_guids": filters.usable_in_spaces,
            "organization_guids": filters.usable_in_organizations,
            "service_instance_guids": filters.of_instances,
            "service_broker_guids": Text("offering__broker__guid"),
            "service_broker_names": Names("offering__broker__name"),
            "service_offering_guids": Text("offering__guid"),
            "service_offering_names": Names("offering__name"),
        },
        orders={"name": "name"},
        includes={"service_offering": _offerings, "space.organization": _places},
        fields={
            "service_offering.service_broker": Fields(
                "service_brokers", lambda row: row.offering.broker, shapes.BROKER_FIELDS
            )
        },
    )

    permission_classes = (ReadByAnybody,)

    def queryset(self) -> QuerySet[Plan]:
        """Each offering and broker is loaded once, however many plans it has. Without a token: what is open to everybody."""
        offerings = Prefetch("offering", with_broker(Offering.objects.all()))
        plans = Plan.objects.public() if self.user is None else Plan.objects.visible_to(self.user)
        return plans.prefetch_related(offerings)

    def present(self, resource: Plan) -> dict[str, Any]:
        return shapes.plan(self.request, resource)

    def update(self, request: Request, guid: str) -> Response:
        actions.update(self.user, self.found(guid), **Change.read(request.data))
        return Response(self.present(self.found(guid)))

    def destroy(self, request: Request, guid: str) -> Any:
        actions.delete(self.user, self.found(guid))
        return no_content()

    def visibility(self, request: Request, guid: str) -> Response:
        return Response(self._visibility(self.found(guid)))

    def set_visibility(self, request: Request, guid: str) -> Response:
        plan, sent = self.found(guid), Visibility.read(request.data)
        actions.set_visibility(self.user, plan, type=sent["type"], organizations=self._organizations(sent))
        return Response(self._visibility(self.found(guid)))

    def add_visibility(self, request: Request, guid: str) -> Response:
        plan, sent = self.found(guid), Visibility.read(request.data)
        actions.add_visibility(self.user, plan, type=sent["type"], organizations=self._organizations(sent))
        return Response(self._visibility(self.found(guid)))

    def remove_visibility(self, request: Request, guid: str, organization: str) -> Any:
        plan = self.found(guid)
        found = Organization.objects.visible_to(self.user).filter(guid=organization).first()
        if found is None:
            raise NotFound("Organization not found")
        actions.remove_visibility(self.user, plan, organization=found)
        return no_content()

    def _visibility(self, plan: Plan) -> dict[str, Any]:
        """Who may use the plan; of the organizations those that the caller sees."""
        shown: dict[str, Any] = {"type": plan.visibility_type}
        space = plan.offering.broker.space
        if plan.visibility_type == Plan.Visibility.ORGANIZATION:
            seen = Organization.objects.visible_to(self.user).filter(plan_visibilities__plan=plan).order_by("name")
            shown["organizations"] = [{"guid": guid, "name": name} for guid, name in seen.values_list("guid", "name")]
        if plan.visibility_type == Plan.Visibility.SPACE and space:
            shown["space"] = {"guid": space.guid, "name": space.name}
        return shown

    def _organizations(self, sent: dict[str, Any]) -> list[Organization]:
        guids = [each["guid"] for each in sent.get("organizations", [])]
        found = list(Organization.objects.visible_to(self.user).filter(guid__in=guids))
        if missing := [guid for guid in guids if guid not in {row.guid for row in found}]:
            raise Unprocessable(NO_ORGANIZATIONS.format(", ".join(missing)))
        return found
