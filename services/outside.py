"""The one place where settings and brokers' rows become the seams' objects; what is the same for all is made once."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from paas.lib import http, kinds
from paas.seams import blobs as blob_kinds
from paas.seams import runtimes as runtime_kinds
from paas.seams.blobs.base import Blobs
from paas.seams.runtimes.authority import MACHINE, Authority
from paas.seams.runtimes.base import Runtime
from services.addresses import Stock
from services.brokers import KINDS
from services.brokers.amazon import plans as offered
from services.brokers.amazon.cloud import Account
from services.brokers.base import Broker
from services.brokers.container import ContainerBroker
from services.brokers.engine import plans, room
from services.brokers.engine.depot import Bucket
from services.models import ServiceBroker

if TYPE_CHECKING:
    from services.brokers.amazon.broker import AmazonBroker

INFO = f"{settings.PAAS_DOMAIN}{settings.PAAS_PORT_SUFFIX}/v2/info"  # what brokers are told of where the platform is


@cache
def blobs() -> Blobs:
    kind = kinds.load(blob_kinds.KINDS, settings.PAAS_BLOBS_KIND)
    if settings.PAAS_BLOBS_KIND == "s3":
        return kind(**settings.PAAS_S3, cache=settings.PAAS_STATE / "blob-cache")
    return kind(root=settings.PAAS_STATE / "blobs")


@cache
def runtime() -> Runtime:
    kind = kinds.load(runtime_kinds.KINDS, settings.PAAS_RUNTIME_KIND)
    if settings.PAAS_RUNTIME_KIND == "fake":
        return kind()
    return kind(
        install=settings.PAAS_INSTALL,
        state=settings.PAAS_STATE,
        blobs=blobs(),
        images=settings.PAAS_STACK_IMAGES,
        memory_mb=settings.PAAS_MEMORY_MB,
    )


@cache
def own_services() -> ContainerBroker:
    """Return the broker of what runs on the platform's own engine."""
    return ContainerBroker(
        runtime=runtime(),
        addresses=Stock(),
        authority=Authority(settings.PAAS_STATE / "authority"),
        services=plans.read(settings.PAAS_SERVICES_PLANS, scale=settings.PAAS_SERVICES_SCALE),
        images=settings.PAAS_SERVICE_IMAGES,
        keys=settings.PAAS_SECRET_KEYS,
        machine=room.Machine(settings.PAAS_STATE, settings.PAAS_MEMORY_MB),
        bucket=_bucket() if settings.PAAS_BLOBS_KIND == "s3" else None,
    )


def _bucket() -> Bucket:
    """Backups go where blobs go, beside them: nobody who collects blobs comes across them."""
    given = settings.PAAS_S3
    return Bucket(
        name=given["bucket"],
        prefix=f"{given['prefix'].strip('/')}-backups".lstrip("-"),
        region=given["region"] or "us-east-1",
        endpoint=given["endpoint_url"] or "",
        authorities=_authorities() if settings.PAAS_CA_FILE else None,
        access_key=given["access_key"] or "",
        secret_key=given["secret_key"] or "",
        own_users=settings.PAAS_BACKUP_USERS == "iam",
    )


def _authorities() -> Path:
    """Return a file with those that the machine trusts, and the operator's own."""
    path: Path = settings.PAAS_STATE / "backup-authorities.pem"
    wanted = b"\n".join(Path(each).read_bytes() for each in (MACHINE, settings.PAAS_CA_FILE))
    if not path.exists() or path.read_bytes() != wanted:
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(wanted)
        new.replace(path)
    return path


@cache
def amazon() -> AmazonBroker:
    """Return the broker of what runs at Amazon; it is loaded only where somebody has something there."""
    made: AmazonBroker = kinds.load(KINDS, "amazon")(
        account=Account(**settings.PAAS_AWS),
        services=offered.read(settings.PAAS_AWS_PLANS),
        keys=settings.PAAS_SECRET_KEYS,
        trust=Authority(settings.PAAS_STATE / "authority").bundle(),
    )
    return made


def broker(row: ServiceBroker) -> Broker:
    """Return the broker at the row's address; those of our own kinds need nothing of the row."""
    kind = kinds.load(KINDS, row.kind)
    if row.kind == "container":
        return own_services()
    if row.kind == "amazon":
        return amazon()
    return kind(url=row.url, networks=_networks(row), info=INFO, **row.credentials)


def _networks(row: ServiceBroker) -> tuple[str, ...]:
    """A broker that is itself an app here is called through the platform's own router, wherever that is."""
    parts = urlsplit(row.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    ours = (parts.hostname or "").endswith(f".{settings.PAAS_APPS_DOMAIN}") and port == settings.PAAS_PUBLIC_PORT
    return http.EVERYWHERE if ours else tuple(row.networks)
