"""What organizations and spaces may use, and what they do use."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from paas.lib.models import Resource


class Limits(Resource):
    """What a quota limits; null is without limit. Memory in MB, log rate in bytes per second."""

    name = models.CharField(max_length=255)
    total_memory_mb = models.BigIntegerField(null=True, blank=True)
    per_process_memory_mb = models.BigIntegerField(null=True, blank=True)
    total_instances = models.BigIntegerField(null=True, blank=True)
    per_app_tasks = models.BigIntegerField(null=True, blank=True)
    log_rate = models.BigIntegerField(null=True, blank=True)
    paid_services_allowed = models.BooleanField(default=True)
    total_service_instances = models.BigIntegerField(null=True, blank=True)
    total_service_keys = models.BigIntegerField(null=True, blank=True)
    total_routes = models.BigIntegerField(null=True, blank=True)
    total_reserved_ports = models.BigIntegerField(null=True, blank=True)

    class Meta(Resource.Meta):
        abstract = True


LIMITS = (
    "name",
    *(field.name for field in Limits._meta.local_fields if field.name.startswith(("total_", "per_", "paid_", "log_"))),
)


class OrganizationQuota(Limits):
    total_domains = models.BigIntegerField(null=True, blank=True)

    class Meta(Limits.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), name="organizationquota_name")]


class SpaceQuota(Limits):
    organization = models.ForeignKey("tenants.Organization", on_delete=models.CASCADE, related_name="space_quotas")

    class Meta(Limits.Meta):
        constraints = [models.UniqueConstraint(Upper("name"), "organization", name="spacequota_name")]


class QuotaUse(models.Model):
    """What is used of a quota; the row is the lock. Only ``tenants.quotas`` writes it."""

    organization = models.OneToOneField("tenants.Organization", on_delete=models.CASCADE, null=True, related_name="use")
    space = models.OneToOneField("tenants.Space", on_delete=models.CASCADE, null=True, related_name="use")
    memory_mb = models.BigIntegerField(default=0)
    instances = models.BigIntegerField(default=0)
    log_rate = models.BigIntegerField(default=0)
    routes = models.BigIntegerField(default=0)
    service_instances = models.BigIntegerField(default=0)
    service_keys = models.BigIntegerField(default=0)
    reserved_ports = models.BigIntegerField(default=0)
    domains = models.BigIntegerField(default=0)
    warned: Any = ArrayField(
        models.CharField(max_length=32), default=list, db_default=[], blank=True
    )  # of what little is left
    warned_at = models.DateTimeField(null=True, blank=True)  # when that was told

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(organization=None, space__isnull=False) | Q(organization__isnull=False, space=None),
                name="quotause_one_owner",
            )
        ]
