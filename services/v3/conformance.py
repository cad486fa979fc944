"""The v3 door of checks against the specification: asked for by a broker's keepers, read by whoever sees the broker."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from paas.lib.errors import NotFound
from paas.lib.v3 import Form, ResourceViewSet, ToOne, accepted, link, named, stamp
from services.actions import conformance as actions
from services.brokers.conformance.run import CHECKS
from services.brokers.conformance.verdicts import anchor
from services.models import ConformanceCheck, Plan, ServiceBroker


class What(Form):
    service_plan = ToOne(required=False)


class New(Form):
    relationships = What(required=False)
    parameters = serializers.DictField(required=False)


class ConformanceViewSet(ResourceViewSet):
    noun = "Service broker"

    def queryset(self) -> QuerySet[ServiceBroker]:
        return ServiceBroker.objects.visible_to(self.user).select_related("space__organization").defer("wish")

    def last(self, request: Request, guid: str) -> Response:
        """The last check, as far as it is."""
        broker = self.found(guid)
        row = ConformanceCheck.objects.filter(broker=broker, begun_at__isnull=False).select_related("plan").first()
        if row is None:
            raise NotFound("This broker has not been checked yet.")
        return Response(self._told(request, broker, row))

    def create(self, request: Request, guid: str) -> Any:
        """Check the broker; with ``service_plan`` throw-away instances are made of that plan, and removed."""
        broker, sent = self.found(guid), New.read(request.data)
        chosen = sent.get("relationships", {}).get("service_plan")
        plans = Plan.objects.filter(offering__broker=broker, available=True).select_related("offering")
        plan = named(plans, chosen, "service plan") if chosen else None
        return accepted(request, actions.check(self.user, broker, plan=plan, parameters=sent.get("parameters")))

    def _told(self, request: Request, broker: ServiceBroker, row: ConformanceCheck) -> dict[str, Any]:
        here = f"/v3/service_brokers/{broker.guid}"
        return {
            "begun_at": stamp(row.begun_at),
            "ended_at": stamp(row.ended_at) if row.ended_at else None,
            "checks": len(CHECKS),
            "findings": [each | {"link": anchor(each["section"])} for each in row.findings],
            "left": sorted(row.left) if row.ended_at else [],
            "relationships": {"service_plan": {"data": {"guid": row.plan.guid} if row.plan else None}},
            "links": {"self": link(request, f"{here}/conformance"), "service_broker": link(request, here)},
        }
