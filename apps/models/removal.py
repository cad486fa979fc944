"""What is still to be taken away outside after rows are gone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from paas.lib.models import Work, WorkQuerySet
from tenants.models import Region


class Removal(Work):
    """An app that was deleted: its instances, logs and blobs go when this row's job has run."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="+")
    app_guid = models.CharField(max_length=64, unique=True)
    log_sources = models.JSONField(default=list)
    blob_keys = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = [Work.due_index("removal_due")]
