"""The last check of a broker: how far it is, what was found, and what the broker still holds of it."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import Job, User
from paas.lib.crypto import EncryptedJSONField
from paas.lib.models import Work, WorkQuerySet, new_guid
from services.models.catalogue import Plan, ServiceBroker


class ConformanceCheck(Work):
    """Its work is the check, and afterwards the removal of throw-away instances that the broker did not let go of.

    ``left`` names those that the broker may hold, by guid, each with the catalogue's ids: written before it is asked.
    """

    broker = models.OneToOneField(ServiceBroker, on_delete=models.CASCADE, related_name="conformance")
    plan = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    plan_name = models.CharField(max_length=511, blank=True, default="")  # "": nothing is made
    parameters: Any = EncryptedJSONField(default=dict)
    seed = models.CharField(max_length=36, default=new_guid)  # the ids of what is made follow from it
    findings = models.JSONField(default=list)
    left = models.JSONField(default=dict)
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = WorkQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [Work.due_index("conformancecheck_due")]

    @property
    def going_on(self) -> bool:
        return self.begun_at is not None and self.ended_at is None
