"""Makes room for the events of the months ahead, and drops those that are older than they are kept."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts import partitions

log = logging.getLogger(__name__)


def keep_events() -> None:
    """Do it as the owner of the tables: the application itself may only add events."""
    owner, today = connections["owner"], timezone.now().date()
    partitions.ensure(owner, today=today)
    for name in partitions.expire(owner, today=today, days=settings.PAAS_AUDIT_DAYS):
        log.info("%s was dropped: audit events are kept for %d days.", name, settings.PAAS_AUDIT_DAYS)
