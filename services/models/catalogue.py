"""Brokers, the offerings and plans of their catalogues, and who may use which plan."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from accounts.models import Job, User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import LockingQuerySet, Resource, Work, WorkQuerySet
from tenants.access import spaces_with
from tenants.models import Organization, Space, sees_all


class ServiceBrokerQuerySet(WorkQuerySet):
    def visible_to(self, user: User) -> Self:
        """Platform roles see every broker, whoever sees the services of a space those that serve only that space."""
        if sees_all(user, "platform.view"):
            return self
        return self.filter(space__in=spaces_with(user, "service.view").values("pk"))


class ServiceBroker(Resource, Work):
    """Who makes instances: a broker over HTTP, or one of the platform's own kinds. Its work is its catalogue.

    ``wish`` holds what an update asks for until the catalogue there has been read and found right.
    """

    class State(models.TextChoices):
        SYNCHRONIZING = "synchronizing"
        AVAILABLE = "available"
        SYNCHRONIZATION_FAILED = "synchronization failed"

    kind = models.CharField(max_length=32, default="osb")  # of ``services.brokers.KINDS``
    name = models.CharField(max_length=255)
    url = models.CharField(max_length=2048, blank=True, default="")
    credentials: Any = EncryptedJSONField(default=dict)  # username, password
    networks = models.JSONField(default=list)  # private networks that calls to this broker may connect to
    space = models.ForeignKey(Space, on_delete=models.PROTECT, null=True, blank=True, related_name="service_brokers")
    state = models.CharField(max_length=32, choices=State, default=State.SYNCHRONIZING)
    wish: Any = EncryptedJSONField(null=True, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    synchronized_at = models.DateTimeField(null=True, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True)
    differences = models.JSONField(default=list)  # sentences: where broker and database disagreed when last compared

    objects = ServiceBrokerQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), name="servicebroker_name")]
        indexes = [*Resource.Meta.indexes, Work.due_index("servicebroker_due")]


class OfferingQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """The offerings with a plan that the user sees."""
        if sees_all(user, "platform.view"):
            return self
        return self.filter(pk__in=Plan.objects.visible_to(user).values("offering"))


class Offering(Resource):
    """A service that a broker offers. ``catalog_id`` is the broker's own id; what the broker dropped is not available."""

    broker = models.ForeignKey(ServiceBroker, on_delete=models.PROTECT, related_name="offerings")
    catalog_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    available = models.BooleanField(default=True)
    bindable = models.BooleanField(default=True)
    plan_updateable = models.BooleanField(default=False)
    instances_retrievable = models.BooleanField(default=False)
    bindings_retrievable = models.BooleanField(default=False)
    allow_context_updates = models.BooleanField(default=False)
    shareable = models.BooleanField(default=False)
    documentation_url = models.CharField(max_length=2048, blank=True, default="")
    tags = models.JSONField(default=list)
    requires = models.JSONField(default=list)  # of syslog_drain, route_forwarding, volume_mount
    dashboard_client = models.CharField(max_length=255, blank=True, default="")  # its id: one service's of all brokers
    broker_metadata = models.JSONField(default=dict)

    objects = OfferingQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["broker", "catalog_id"], name="offering_catalog_id")]
        indexes = [*Resource.Meta.indexes, models.Index(Upper("name"), name="offering_name")]


class PlanQuerySet(LockingQuerySet):
    def visible_to(self, user: User) -> Self:
        """What the user may create instances of somewhere, and the plans of the instances that the user sees."""
        if sees_all(user, "platform.view"):
            return self
        from services.models.instance import ServiceInstance

        # Read first, and not as parts of the query: the database would guess that they are most of what there is.
        organizations = [*Organization.objects.visible_to(user).values_list("pk", flat=True)]
        spaces = [*Space.objects.visible_to(user).values_list("pk", flat=True)]
        instances = ServiceInstance.objects.visible_to(user).exclude(plan=None).order_by()
        used = [*instances.values_list("plan", flat=True).distinct()]
        return self.filter(
            Q(visibility_type=Plan.Visibility.PUBLIC)
            | Q(pk__in=PlanVisibility.objects.filter(organization__in=organizations).values("plan"))
            | Q(offering__broker__space__in=spaces)
            | Q(pk__in=used)
        )

    def public(self) -> Self:
        """What is open to everybody, also to who is not signed in."""
        return self.filter(visibility_type=Plan.Visibility.PUBLIC)

    def usable_in(self, space: Space) -> Self:
        """The available plans that instances may be created of in that space."""
        granted = PlanVisibility.objects.filter(organization=space.organization_id).values("plan")
        return self.filter(
            Q(visibility_type=Plan.Visibility.PUBLIC) | Q(pk__in=granted) | Q(offering__broker__space=space),
            available=True,
            offering__available=True,
        )


class Plan(Resource):
    """A size or grade of an offering, with who may use it. Null in ``bindable`` or ``plan_updateable``: the offering's."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        ADMIN = "admin"
        ORGANIZATION = "organization"
        SPACE = "space"

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="plans")
    catalog_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    available = models.BooleanField(default=True)
    visibility_type = models.CharField(max_length=16, choices=Visibility, default=Visibility.ADMIN)
    free = models.BooleanField(default=True)
    costs = models.JSONField(default=list)  # {"currency": "GBP", "amount": 12.5, "unit": "Monthly"}
    bindable = models.BooleanField(null=True, blank=True)
    plan_updateable = models.BooleanField(null=True, blank=True)
    maximum_polling_duration = models.PositiveIntegerField(null=True, blank=True)  # seconds
    maintenance_info = models.JSONField(default=dict)  # version, description
    create_schema = models.JSONField(default=dict)  # JSON schemas of parameters; empty takes anything
    update_schema = models.JSONField(default=dict)
    bind_schema = models.JSONField(default=dict)
    broker_metadata = models.JSONField(default=dict)

    objects = PlanQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["offering", "catalog_id"], name="plan_catalog_id")]
        indexes = [*Resource.Meta.indexes, models.Index(Upper("name"), name="plan_name")]

    @property
    def takes_bindings(self) -> bool:
        return self.offering.bindable if self.bindable is None else self.bindable

    @property
    def can_change_plan(self) -> bool:
        return self.offering.plan_updateable if self.plan_updateable is None else self.plan_updateable


class PlanVisibility(models.Model):
    """An organization that may use a plan whose visibility is by organization."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="visibilities")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_visibilities")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["organization", "plan"], name="planvisibility_once")]
