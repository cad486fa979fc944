"""Abstract models: a resource with a guid, work that is claimed from rows, and what is left of the deleted."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from paas.lib.text import is_storable


def new_guid() -> str:
    return str(uuid.uuid4())


def by_guid(rows: Any, guid: str) -> Any:
    """Return the row with the guid, or None; what the database cannot hold is nobody's."""
    return rows.filter(guid=guid).first() if is_storable(guid) else None


class LockingQuerySet(models.QuerySet):
    """Reads one row fresh and keeps it locked until the transaction ends."""

    def lock(self, pk: int) -> Any:
        return self.select_for_update(of=("self",)).get(pk=pk)


class Resource(models.Model):
    """What every resource of the v3 API has. ``guid`` is the only id that leaves the house."""

    id = models.BigAutoField(primary_key=True)
    guid = models.CharField(max_length=64, unique=True, default=new_guid, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    labels = models.JSONField(default=dict, blank=True)
    annotations = models.JSONField(default=dict, blank=True)

    objects = LockingQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="%(class)s_created"),
            models.Index(fields=["updated_at"], name="%(class)s_updated"),
            GinIndex(fields=["labels"], name="%(class)s_labels"),
        ]

    def __str__(self) -> str:
        return f"{type(self).__name__} {getattr(self, 'name', '') or self.guid}"


class WorkQuerySet(LockingQuerySet):
    def due(self) -> Self:
        """Rows whose work should be claimed now: due, and leased by nobody who is alive."""
        now = timezone.now()
        return self.filter(due_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now))


class Work(models.Model):
    """A row that carries work for a job; see ``paas.lib.queue``. ``due_at`` null means nothing to do."""

    due_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=128, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_number = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    deadline = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        abstract = True

    @classmethod
    def due_index(cls, name: str) -> models.Index:
        """The partial index that keeps the sweep cheap however many rows there are."""
        return models.Index(fields=["due_at"], name=name, condition=Q(due_at__isnull=False))


def bump(field: str) -> F:
    """``update(generation=bump("generation"))``: a counter raised in the database, never from a stale copy."""
    return F(field) + 1


def in_seconds(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)
