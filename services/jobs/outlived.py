"""Removes what Amazon keeps of deleted instances, once nobody may bring them back any more."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from paas.lib.errors import PaasError
from services import outside
from services.jobs.backup import KEPT

log = logging.getLogger(__name__)


def forget_outlived() -> None:
    """Where nothing of Amazon's is configured there is nothing to do, and nothing is loaded for it."""
    if not settings.PAAS_AWS["region"]:
        return
    try:
        outside.amazon().forget(timezone.now() - KEPT)
    except PaasError as error:
        log.error("Old snapshots at Amazon are kept for now: %s", error.detail)
