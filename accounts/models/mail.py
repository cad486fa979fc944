"""The outbox."""

from __future__ import annotations

from django.db import models

from paas.lib.models import Resource, Work, WorkQuerySet


class Mail(Resource, Work):
    """A message to one address: the outbox. Its work is being sent; without SMTP settings it waits to be read here."""

    to = models.EmailField()
    subject = models.CharField(max_length=255)
    body = models.TextField()
    kind = models.CharField(max_length=64)  # invitation, password-reset, new-device, ...
    digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", db_index=True
    )  # of its link's secret
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta(Resource.Meta):
        indexes = [*Resource.Meta.indexes, Work.due_index("mail_due")]

    @property
    def name(self) -> str:
        return self.subject
