"""What runs: immutable revisions, the deployments that bring them up, instances and their addresses."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from apps.models.app import App, OfAppQuerySet
from apps.models.build import Droplet
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource
from tenants.models import Region


class Revision(Resource):
    """A version of an app: droplet, environment, commands and sidecars as they were. Never changed."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField()
    droplet = models.ForeignKey(Droplet, on_delete=models.SET_NULL, null=True, related_name="revisions")
    environment = EncryptedJSONField(default=dict)
    commands = models.JSONField(default=dict)  # process type -> command asked for, or null for the droplet's
    sidecars = models.JSONField(default=list)
    description = models.TextField(blank=True, default="")

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["app", "version"], name="revision_version")]


class Deployment(Resource):
    """One bringing-up of a revision. Instances belong to the deployment that started them."""

    class Value(models.TextChoices):
        ACTIVE = "ACTIVE"
        FINALIZED = "FINALIZED"

    class Reason(models.TextChoices):
        DEPLOYING = "DEPLOYING"
        PAUSED = "PAUSED"
        CANCELING = "CANCELING"
        DEPLOYED = "DEPLOYED"
        CANCELED = "CANCELED"
        SUPERSEDED = "SUPERSEDED"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="deployments")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="deployments")
    droplet = models.ForeignKey(Droplet, on_delete=models.SET_NULL, null=True, related_name="+")
    previous_droplet = models.ForeignKey(Droplet, on_delete=models.SET_NULL, null=True, related_name="+")
    value = models.CharField(max_length=16, choices=Value, default=Value.ACTIVE)
    reason = models.CharField(max_length=16, choices=Reason, default=Reason.DEPLOYING)
    strategy = models.CharField(max_length=16, default="rolling")
    options = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")
    failed_at = models.DateTimeField(null=True, blank=True)
    status_changed_at = models.DateTimeField(default=timezone.now)
    healthy_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="deployments")

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        indexes = [*Resource.Meta.indexes, models.Index(fields=["app", "value"], name="deployment_app_value")]

    def command(self, process_type: str) -> str:
        """Return the command asked for, else the droplet's own for that process type; "" is left to the image."""
        asked = self.revision.commands.get(process_type)
        return asked or (self.droplet.process_types.get(process_type, "") if self.droplet else "")


class Instance(models.Model):
    """One container that should exist, and what was last seen of it."""

    guid = models.CharField(max_length=64, unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="running")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="running")
    process_type = models.CharField(max_length=255)
    index = models.PositiveIntegerField()
    address = models.GenericIPAddressField(protocol="IPv4")
    zone = models.CharField(max_length=64, blank=True, default="")
    memory_mb = models.PositiveIntegerField()
    disk_mb = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=16, default="starting")
    ready = models.BooleanField(default=False)
    ever_ready = models.BooleanField(default=False)
    since = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    noted_at = models.DateTimeField(db_default=Now())  # when it was written last; what was seen before is out of date
    crashes = models.PositiveIntegerField(default=0)
    details = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["process_type", "index", "id"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "process_type", "index"], name="instance_index"),
        ]


class Address(models.Model):
    """An address that one instance at a time may have, and nobody for ten minutes after."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="addresses")
    address = models.GenericIPAddressField(protocol="IPv4")
    instance = models.CharField(max_length=64, blank=True, default="", db_index=True)  # guid, or free
    free_since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "address"], name="address_once")]
        indexes = [models.Index(fields=["region", "free_since"], condition=models.Q(instance=""), name="address_free")]
