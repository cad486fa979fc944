"""The append-only record of what was done, and of what was consumed."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone

from paas.lib.models import new_guid


class EventQuerySet(models.QuerySet):
    """Events are written once; the database refuses the rest too."""

    def newest(self) -> Self:
        return self.order_by("-created_at", "-id")


class Event(models.Model):
    """What both kinds of event have. No foreign keys: what they name may be gone."""

    id = models.BigAutoField(primary_key=True)
    guid = models.CharField(max_length=64, default=new_guid, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    organization_guid = models.CharField(max_length=64, blank=True, default="")
    organization_name = models.CharField(max_length=255, blank=True, default="")
    space_guid = models.CharField(max_length=64, blank=True, default="")
    space_name = models.CharField(max_length=255, blank=True, default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["created_at", "id"]


class AuditEvent(Event):
    """Who did what to which thing; written in the same transaction as the change. Partitioned by month."""

    type = models.CharField(max_length=128)
    actor_guid = models.CharField(max_length=64)
    actor_type = models.CharField(max_length=32)
    actor_name = models.CharField(max_length=255)
    target_guid = models.CharField(max_length=64)
    target_type = models.CharField(max_length=64)
    target_name = models.CharField(max_length=255)
    door = models.CharField(
        max_length=16, blank=True, default="", db_default=""
    )  # console, api, or empty for the platform's own work
    address = models.CharField(max_length=64, blank=True, default="", db_default="")
    via = models.CharField(
        max_length=255, blank=True, default="", db_default=""
    )  # a token's or a key's name, or "view as NAME"
    data = models.JSONField(default=dict)

    class Meta(Event.Meta):
        indexes = [
            models.Index(fields=["guid"], name="audit_guid"),
            models.Index(fields=["actor_guid", "-created_at"], name="audit_actor"),
            models.Index(fields=["target_guid", "-created_at"], name="audit_target"),
            models.Index(fields=["space_guid", "-created_at"], name="audit_space"),
            models.Index(fields=["organization_guid", "-created_at"], name="audit_organization"),
            models.Index(fields=["created_at", "id"], name="audit_created"),
            models.Index(fields=["type", "created_at"], name="audit_type"),
        ]


class UsageEvent(Event):
    """A change of what somebody consumes; the bill is computed from these. Partitioned by month."""

    class Kind(models.TextChoices):
        APP = "app"
        BUILD = "build"
        TASK = "task"
        SERVICE = "service"

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=32)
    previous_state = models.CharField(max_length=32, blank=True, default="")
    resource_guid = models.CharField(max_length=64)
    resource_name = models.CharField(max_length=255)
    parent_guid = models.CharField(max_length=64, blank=True, default="")
    parent_name = models.CharField(max_length=255, blank=True, default="")
    process_type = models.CharField(max_length=255, blank=True, default="")
    instances = models.IntegerField(null=True)
    previous_instances = models.IntegerField(null=True)
    memory_mb = models.IntegerField(null=True)
    previous_memory_mb = models.IntegerField(null=True)
    plan_name = models.CharField(max_length=255, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta(Event.Meta):
        indexes = [
            models.Index(fields=["guid"], name="usage_guid"),
            models.Index(fields=["kind", "created_at", "id"], name="usage_kind"),
            models.Index(fields=["organization_guid", "created_at"], name="usage_organization"),
        ]
