"""Service instances, managed and user-provided, and the spaces that they are shared to."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource, Work, WorkQuerySet
from services.models.catalogue import Plan
from services.models.operation import Operation
from tenants.access import spaces_with
from tenants.models import Region, Space, sees_all


class ServiceInstanceQuerySet(WorkQuerySet):
    def there(self) -> Self:
        """Those that have not been removed: what is left of the others is only for the job."""
        return self.filter(removed_at=None)

    def visible_to(self, user: User) -> Self:
        """What stands in a space where the user holds ``service.view``, or is shared to one."""
        if sees_all(user, "service.view"):
            return self.there()
        spaces = spaces_with(user, "service.view").values("pk")
        shared = Share.objects.filter(space__in=spaces).values("instance")
        return self.there().filter(Q(space__in=spaces) | Q(pk__in=shared))


class ServiceInstance(Resource, Operation):
    """A database, a bucket, a queue...: made by a broker, or credentials that a team provides by itself (no plan)."""

    class Type(models.TextChoices):
        MANAGED = "managed"
        USER_PROVIDED = "user-provided"

    type = models.CharField(max_length=16, choices=Type, default=Type.MANAGED)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="service_instances")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="service_instances")  # the space's
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="instances")
    name = models.CharField(max_length=255)
    tags = models.JSONField(default=list)
    parameters: Any = EncryptedJSONField(default=dict)  # as they were last accepted
    credentials: Any = EncryptedJSONField(default=dict)  # of a user-provided one
    syslog_drain_url: Any = EncryptedJSONField(default=str)  # both may carry a password
    route_service_url: Any = EncryptedJSONField(default=str)
    dashboard_url = models.CharField(max_length=2048, blank=True, default="")
    maintenance_info = models.JSONField(default=dict)
    shared_spaces = models.ManyToManyField(Space, through="Share", related_name="shared_service_instances")

    objects = ServiceInstanceQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [
            models.UniqueConstraint(
                Upper("name"), "space", name="serviceinstance_name", condition=Q(removed_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(type="managed", plan__isnull=False) | Q(type="user-provided", plan=None),
                name="serviceinstance_plan",
            ),
        ]
        indexes = [*Resource.Meta.indexes, Work.due_index("serviceinstance_due")]

    @property
    def organization(self) -> Any:
        return self.space.organization

    @property
    def managed(self) -> bool:
        return self.type == self.Type.MANAGED

    @property
    def upgrade_available(self) -> bool:
        """Whether the plan has moved on to another version than the instance's; wants ``plan`` joined."""
        offered = self.plan.maintenance_info.get("version") if self.plan else None
        return offered is not None and offered != self.maintenance_info.get("version")


class Share(models.Model):
    """A space, beside the instance's own, whose apps may bind the instance."""

    instance = models.ForeignKey(ServiceInstance, on_delete=models.CASCADE, related_name="shares")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="shares")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["space", "instance"], name="share_once")]
