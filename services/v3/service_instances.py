"""The v3 door of service instances, managed and user-provided."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound, Unprocessable
from paas.lib.v3 import (
    Choice,
    Fields,
    Form,
    MetadataField,
    Names,
    Query,
    ResourceViewSet,
    Text,
    ToOne,
    accepted,
    checked,
    named,
    no_content,
    to_one,
)
from paas.lib.v3.query import values
from services import live
from services.actions import instance as actions
from services.actions import parameters, user_provided
from services.models import Plan, ServiceInstance
from services.v3 import attached
from tenants.access import may
from tenants.models import Space

MANAGED, USER_PROVIDED = ServiceInstance.Type.MANAGED, ServiceInstance.Type.USER_PROVIDED


class Tags(serializers.ListField):
    child = serializers.CharField(max_length=actions.LONGEST_TAGS)


class InSpace(Form):
    space = ToOne()


class InSpaceOfPlan(InSpace):
    service_plan = ToOne()


class OfPlan(Form):
    service_plan = ToOne(required=False)


class Version(Form):
    version = serializers.CharField(max_length=255)


class New(Form):
    """What both kinds take; which it is decides on the rest."""

    type = serializers.ChoiceField(
        [MANAGED, USER_PROVIDED], error_messages={"invalid_choice": "must be one of 'managed', 'user-provided'"}
    )
    name = serializers.CharField(max_length=255)
    tags = Tags(required=False, allow_null=True)
    metadata = MetadataField(required=False)


class NewManaged(New):
    relationships = InSpaceOfPlan()
    parameters = serializers.DictField(required=False, allow_null=True)


class NewUserProvided(New):
    relationships = InSpace()
    credentials = serializers.DictField(required=False, allow_null=True)
    syslog_drain_url = serializers.CharField(max_length=2048, required=False, allow_null=True, allow_blank=True)
    route_service_url = serializers.CharField(max_length=2048, required=False, allow_null=True, allow_blank=True)


class Change(Form):
    name = serializers.CharField(max_length=255, required=False)
    tags = Tags(required=False, allow_null=True)
    metadata = MetadataField(required=False)


class ChangeManaged(Change):
    relationships = OfPlan(required=False)
    parameters = serializers.DictField(required=False, allow_null=True)
    maintenance_info = Version(required=False)


class ChangeUserProvided(Change):
    credentials = serializers.DictField(required=False, allow_null=True)
    syslog_drain_url = serializers.CharField(max_length=2048, required=False, allow_null=True, allow_blank=True)
    route_service_url = serializers.CharField(max_length=2048, required=False, allow_null=True, allow_blank=True)


def in_spaces(name: str, text: str) -> Q:
    """What stands in the spaces, and what is shared to them."""
    guids = values(text)
    return Q(space__guid__in=guids) | Q(
        pk__in=ServiceInstance.objects.filter(shares__space__guid__in=guids).values("pk")
    )


PLAN = "service_plan"
OFFERING = f"{PLAN}.service_offering"
NAMED: dict[str, Any] = {"guid": lambda row: row.guid, "name": lambda row: row.name}
OF_SPACE = NAMED | {"relationships.organization": lambda space: to_one(space.organization.guid)}
OF_PLAN = NAMED | {"relationships.service_offering": lambda plan: to_one(plan.offering.guid)}
OF_OFFERING = NAMED | {
    "description": lambda offering: offering.description,
    "documentation_url": lambda offering: offering.documentation_url or None,
    "tags": lambda offering: offering.tags,
    "relationships.service_broker": lambda offering: to_one(offering.broker.guid),
}
PLACES = {
    "space": Fields("spaces", lambda row: row.space, OF_SPACE),
    "space.organization": Fields("organizations", lambda row: row.space.organization, NAMED),
}
PARTS = PLACES | {
    PLAN: Fields("service_plans", lambda row: row.plan, OF_PLAN),
    OFFERING: Fields("service_offerings", lambda row: row.plan and row.plan.offering, OF_OFFERING),
    f"{OFFERING}.service_broker": Fields("service_brokers", lambda row: row.plan and row.plan.offering.broker, NAMED),
}


class ServiceInstanceViewSet(ResourceViewSet):
    noun = "Service instance"
    query = Query(
        filters={
            "names": Names("name"),
            "space_guids": in_spaces,
            "organization_guids": Text("space__organization__guid"),
            "service_plan_guids": Text("plan__guid"),
            "service_plan_names": Text("plan__name"),
            "service_offering_guids": Text("plan__offering__guid"),
            "service_offering_names": Text("plan__offering__name"),
            "type": Choice("type", tuple(ServiceInstance.Type.values)),
        },
        orders={"name": "name"},
        fields=PARTS,
    )

    def queryset(self) -> QuerySet[ServiceInstance]:
        joined = ServiceInstance.objects.select_related(
            "space__organization__quota", "space__quota", "plan__offering__broker"
        )
        secret = ("credentials", "parameters", "syslog_drain_url", "route_service_url", "wish")
        return joined.visible_to(self.user).defer(*secret, "plan__offering__broker__credentials")

    def present(self, resource: ServiceInstance) -> dict[str, Any]:
        return attached.instance(self.request, resource)

    def create(self, request: Request) -> Any:
        kind = request.data.get("type")
        form = NewUserProvided if kind == USER_PROVIDED else NewManaged if kind == MANAGED else New
        sent = checked(form(data=request.data))
        del sent["type"]
        related = sent.pop("relationships")
        space = named(Space.objects.visible_to(self.user), related["space"], "space")
        if kind == USER_PROVIDED:
            return Response(self.present(user_provided.create(self.user, space, **sent)), status=201)
        plan = self._plan(related["service_plan"])
        _instance, job = actions.create(self.user, space, plan=plan, **sent)
        return accepted(request, job)

    def update(self, request: Request, guid: str) -> Any:
        row: ServiceInstance = self.found(guid)
        if not row.managed:
            sent = checked(ChangeUserProvided(data=request.data))
            return Response(self.present(user_provided.update(self.user, row, **sent)))
        sent = checked(ChangeManaged(data=request.data))
        if plan := sent.pop("relationships", {}).get("service_plan"):
            sent["plan"] = self._plan(plan)
        if info := sent.pop("maintenance_info", None):
            sent["version"] = info["version"]
        changed, job = actions.update(self.user, row, **sent)
        return accepted(request, job) if job else Response(self.present(changed))

    def _plan(self, guid: str) -> Plan:
        found = Plan.objects.visible_to(self.user).select_related("offering__broker").filter(guid=guid).first()
        if found is None:
            raise Unprocessable(actions.INVALID_PLAN)
        return found

    def destroy(self, request: Request, guid: str) -> Any:
        row: ServiceInstance = self.found(guid)
        if request.query_params.get("purge") == "true":
            actions.purge(self.user, row)
            return no_content()
        if not row.managed:
            user_provided.delete(self.user, row)
            return no_content()
        return accepted(request, actions.delete(self.user, row))

    def credentials(self, request: Request, guid: str) -> Response:
        row: ServiceInstance = self.found(guid)
        if row.managed:
            raise NotFound("Service instance not found")
        return Response(user_provided.show(self.user, row))

    def parameters(self, request: Request, guid: str) -> Response:
        row: ServiceInstance = self.found(guid)
        parameters.ask_of_instance(self.user, row)
        return Response(live.parameters_of(row))

    def permissions(self, request: Request, guid: str) -> Response:
        row: ServiceInstance = self.found(guid)
        return Response({"read": True, "manage": may(self.user, "service.create", row.space)})
