"""An operation that a broker carries out: written before the broker is called, polled until it has ended."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from accounts.models import Job, User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Work


class Operation(Work):
    """What instances and bindings share: the last operation, and the work of the one that is under way.

    The action writes type, state INITIAL, ``wish``, ``asked_by`` and ``due_at``: the intent. The job calls the broker,
    keeps ``operation_key`` (what the broker wants to hear when it is polled), and runs again until the broker is done or
    ``deadline`` has passed.

    ``orphan``: the broker may hold it though its creation failed; it is told to delete it until it says that it is gone.
    ``removed_at``: gone for everybody and its name free; the row stays until the broker has let go of it.
    """

    class Type(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        DELETE = "delete"

    class State(models.TextChoices):
        INITIAL = "initial"
        IN_PROGRESS = "in progress"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    operation_type = models.CharField(max_length=16, choices=Type, default=Type.CREATE)
    operation_state = models.CharField(max_length=16, choices=State, default=State.SUCCEEDED)
    operation_description = models.TextField(blank=True, default="")
    operation_created_at = models.DateTimeField(default=timezone.now)
    operation_updated_at = models.DateTimeField(default=timezone.now)
    operation_key = models.TextField(blank=True, default="")
    wish: Any = EncryptedJSONField(null=True, blank=True)  # what is written to the row when the operation succeeds
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    orphan = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def busy(self) -> bool:
        """Whether an operation is under way: then another may not begin."""
        return self.operation_state in (self.State.INITIAL, self.State.IN_PROGRESS)
