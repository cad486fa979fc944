"""One-off containers, and the environment that every app gets."""

from __future__ import annotations

from django.db import models

from apps.models.app import App, OfAppQuerySet
from apps.models.build import Droplet
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource, Work


class Task(Resource, Work):
    """A one-off container of an app."""

    class State(models.TextChoices):
        PENDING = "PENDING"
        RUNNING = "RUNNING"
        CANCELING = "CANCELING"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="tasks")
    droplet = models.ForeignKey(Droplet, on_delete=models.SET_NULL, null=True, related_name="tasks")
    sequence_id = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    command = models.TextField()
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    failure_reason = models.TextField(blank=True, default="")
    memory_mb = models.PositiveIntegerField()
    disk_mb = models.PositiveIntegerField()
    log_rate = models.BigIntegerField(default=-1)

    objects = OfAppQuerySet.as_manager()

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["app", "sequence_id"], name="task_sequence")]
        indexes = [*Resource.Meta.indexes, Work.due_index("task_due")]


class EnvironmentGroup(models.Model):
    """Variables that the platform gives to every running or staging app."""

    name = models.CharField(max_length=16, unique=True)  # "running" or "staging"
    variables = EncryptedJSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    @property
    def guid(self) -> str:
        """A group's name is its id."""
        return self.name
