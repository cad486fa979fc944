"""Background work as the v3 API shows it."""

from __future__ import annotations

from django.db import models

from accounts.models.user import User
from paas.lib.models import Resource


class Job(Resource):
    """Background work as the v3 API shows it at ``/v3/jobs``."""

    class State(models.TextChoices):
        PROCESSING = "PROCESSING"
        POLLING = "POLLING"
        COMPLETE = "COMPLETE"
        FAILED = "FAILED"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="jobs")
    operation = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.PROCESSING)
    errors = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    resource_guid = models.CharField(max_length=64, blank=True, default="", db_index=True)
