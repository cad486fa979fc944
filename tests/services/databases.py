"""What tests of databases that are backed up share: a way in from the machine itself, and workers that do what is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from django.utils import timezone

from apps import addresses
from paas.lib.queue import work
from services import outside
from services.brokers.base import Instance
from services.models import RestoreProof
from tenants.models import Region
from tests.cell.machine import wait_until
from tests.services.bed import SCALE, Bed

CIPHER = "c" * 43
MADE = (outside.blobs, outside.runtime, outside.own_services)


def connected(given: Mapping[str, Any], address: str) -> psycopg.Connection[Any]:
    """Log in with the credentials of a binding."""
    way = f"host={given['host']} hostaddr={address} dbname=main sslmode=require connect_timeout=5"
    return psycopg.connect(way, user=given["username"], password=given["password"], autocommit=True)


def run(given: Mapping[str, Any], address: str, statement: str) -> Any:
    with connected(given, address) as connection:
        told = connection.execute(statement)
        return told.fetchall() if told.description else None


def query(bed: Bed, database: Instance, statement: str, credentials: Mapping[str, Any] | None = None) -> Any:
    given = credentials or bed.credentials(bed.binding(database))
    return run(given, bed.addresses.taken[database.guid], statement)


def taken(bed: Bed, database: Instance) -> Any:
    """Return the backups that there are, nothing while one is being taken or where the last has failed."""
    look = bed.broker.keeping.look(database)
    return not look.running and not look.error and look.taken


def of_platform(bed: Bed, settings: Any, region: Region) -> None:
    """Let the platform's own settings name the bed's machine."""
    settings.PAAS_STATE, settings.PAAS_INSTALL = bed.machine.folder, bed.machine.install
    settings.PAAS_RUNTIME_KIND, settings.PAAS_SERVICE_IMAGES = "docker", bed.broker.images
    settings.PAAS_SERVICES_SCALE, settings.PAAS_MEMORY_MB = SCALE, bed.machine.runtime.memory_mb
    addresses.fill(region, f"{bed.machine.prefix}.128/26")
    for each in MADE:
        each.cache_clear()


def worked(row: Any) -> bool:
    """Let a worker do what is due for it, as if time flew."""
    type(row).objects.filter(pk=row.pk).update(due_at=timezone.now())
    return work("services.jobs.prove" if isinstance(row, RestoreProof) else "services.jobs.back_up", row.pk)


def until(told: Callable[[], Any], what: str) -> Any:
    return wait_until(told, what, seconds=180)
