"""The v3 doors of usage events: what changed in what apps and services consume, for billing systems to read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet

from accounts.access import may
from accounts.models import UsageEvent
from paas.lib.errors import BadQueryParameter
from paas.lib.v3 import Query, ResourceViewSet, Text, base, link


def after(name: str, text: str) -> Q:
    """The events behind the one with that guid."""
    event = UsageEvent.objects.filter(guid=text).first()
    if event is None:
        raise BadQueryParameter("After guid filter must be a valid event guid.")
    return Q(created_at__gt=event.created_at) | Q(created_at=event.created_at, id__gt=event.pk)


class UsageEventViewSet(ResourceViewSet):
    kinds: ClassVar[tuple[str, ...]]
    path: ClassVar[str]
    filters: ClassVar[dict[str, Any]] = {"after_guid": after}

    def queryset(self) -> QuerySet[UsageEvent]:
        rows = (
            UsageEvent.objects.filter(kind__in=self.kinds)
            if may(self.user, "usage.view")
            else UsageEvent.objects.none()
        )
        return rows.annotate(updated_at=F("created_at"))

    def present(self, resource: UsageEvent) -> dict[str, Any]:
        return base(
            resource,
            **self.consumption(resource),
            space={"guid": resource.space_guid, "name": resource.space_name},
            organization={"guid": resource.organization_guid},
            links={"self": link(self.request, f"/v3/{self.path}/{resource.guid}")},
        )

    def consumption(self, event: UsageEvent) -> dict[str, Any]:
        raise NotImplementedError


class AppUsageEventViewSet(UsageEventViewSet):
    noun = "App usage event"
    query = Query(filters=UsageEventViewSet.filters, labels=False)
    kinds = (UsageEvent.Kind.APP, UsageEvent.Kind.BUILD, UsageEvent.Kind.TASK)
    path = "app_usage_events"

    def consumption(self, event: UsageEvent) -> dict[str, Any]:
        app, build, task = (event.kind == kind for kind in self.kinds)
        return {
            "state": {"current": event.state, "previous": event.previous_state or None},
            "app": {"guid": event.parent_guid, "name": event.parent_name},
            "process": {"guid": event.resource_guid if app else None, "type": event.process_type or None},
            "buildpack": {
                "guid": event.data.get("buildpack_guid") if build else None,
                "name": event.data.get("buildpack_name") if build else None,
            },
            "task": {"guid": event.resource_guid if task else None, "name": event.resource_name if task else None},
            "memory_in_mb_per_instance": {"current": event.memory_mb, "previous": event.previous_memory_mb},
            "instance_count": {"current": event.instances, "previous": event.previous_instances},
        }


class ServiceUsageEventViewSet(UsageEventViewSet):
    noun = "Service usage event"
    query = Query(
        filters={**UsageEventViewSet.filters, "service_instance_types": Text("data__service_instance_type")},
        labels=False,
    )
    kinds = (UsageEvent.Kind.SERVICE,)
    path = "service_usage_events"

    def consumption(self, event: UsageEvent) -> dict[str, Any]:
        return {
            "state": event.state,
            "service_instance": {
                "guid": event.resource_guid,
                "name": event.resource_name,
                "type": event.data.get("service_instance_type"),
            },
            "service_plan": {"guid": event.data.get("service_plan_guid"), "name": event.plan_name or None},
            "service_offering": {
                "guid": event.data.get("service_offering_guid"),
                "name": event.data.get("service_offering_name"),
            },
            "service_broker": {
                "guid": event.data.get("service_broker_guid"),
                "name": event.data.get("service_broker_name"),
            },
        }
