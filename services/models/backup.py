"""Backups: an instance's repository of them, which outlives it, what was taken, and whether it can be restored."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Self

from django.db import models

from accounts.models import Job, User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Resource, Work, WorkQuerySet
from services.models.instance import ServiceInstance
from tenants.access import spaces_with
from tenants.models import Space, sees_all


def new_key() -> str:
    return secrets.token_urlsafe(32)


class RepositoryQuerySet(WorkQuerySet):
    def visible_to(self, user: User) -> Self:
        """Those of instances whose space the user sees the services of, or of one that stood there."""
        if sees_all(user, "service.view"):
            return self
        return self.filter(space__in=spaces_with(user, "service.view").values("pk"))


class Repository(Resource, Work):
    """Where an instance's backups are. It has the instance's guid, and stays when the instance goes, until ``until``.

    Its work is to have backups taken, and to look after them; ``wanted_at`` is set while one is asked for.
    """

    instance = models.OneToOneField(
        ServiceInstance, on_delete=models.SET_NULL, null=True, blank=True, related_name="repository"
    )
    space = models.ForeignKey(Space, on_delete=models.SET_NULL, null=True, blank=True, related_name="repositories")
    name = models.CharField(max_length=255)  # the instance's
    offering_id = models.CharField(max_length=255)  # the catalogue's: only of the same service a new one can be made
    disk_mb = models.PositiveIntegerField()  # that a new one needs at least
    key: Any = EncryptedJSONField(default=new_key)  # what the backups are encrypted with
    wanted_at = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)  # of the backup that is being taken
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)  # when the newest part of the log was put away
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")  # why backups fail now, "" where they do not
    deleted_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)

    objects = RepositoryQuerySet.as_manager()

    class Meta(Resource.Meta):
        indexes = [*Resource.Meta.indexes, Work.due_index("repository_due")]

    @property
    def newest(self) -> Backup | None:
        return max(self.backups.all(), key=lambda each: each.ended_at, default=None)

    @property
    def oldest_time(self) -> datetime | None:
        """The earliest moment that can be restored."""
        return min((each.ended_at for each in self.backups.all()), default=None)


class Backup(Resource):
    """One backup in a repository: all of it, or what had changed since the last full one."""

    class Type(models.TextChoices):
        FULL = "full"
        DIFFERENTIAL = "differential"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="backups")
    label = models.CharField(max_length=64)  # the tool's own
    type = models.CharField(max_length=16, choices=Type)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    size_bytes = models.BigIntegerField()  # that it takes in the repository

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["repository", "label"], name="backup_label")]


class RestoreProof(Work):
    """Whether a repository's newest state can be restored: tried by restoring it to a place of its own.

    ``proved_at`` and ``seconds`` are those of the last that succeeded. ``failed_at`` is set from the first that failed
    after it until one succeeds again; ``error`` says why, or why the last could not even be tried.
    """

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="proof")
    mark = models.DateTimeField(null=True, blank=True)  # the heartbeat that the try under way must find
    measured = models.JSONField(default=dict, blank=True)  # what must be there with it
    begun_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = [Work.due_index("restoreproof_due")]
