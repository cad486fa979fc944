"""The one place where settings and brokers' rows become the seams' objects; what is the same for all is made once."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings

from paas.lib import http, kinds
from paas.seams import blobs as blob_kinds
from paas.seams import runtimes as runtime_kinds
from paas.seams.blobs.base import Blobs
from paas.seams.runtimes.authority import Authority
from paas.seams.runtimes.base import Runtime
from services.addresses import Stock
from services.brokers import KINDS
from services.brokers.base import Broker
from services.brokers.container import ContainerBroker
from services.brokers.engine import plans, room
from services.models import ServiceBroker


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
    )


def broker(row: ServiceBroker) -> Broker:
    """Return the broker at the row's address; those of our own kinds need nothing of the row."""
    kind = kinds.load(KINDS, row.kind)
    if row.kind == "container":
        return own_services()
    if row.kind != "osb":
        return kind()
    return kind(url=row.url, networks=_networks(row), **row.credentials)


def _networks(row: ServiceBroker) -> tuple[str, ...]:
    """A broker that is itself an app here is called through the platform's own router, wherever that is."""
    parts = urlsplit(row.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    ours = (parts.hostname or "").endswith(f".{settings.PAAS_APPS_DOMAIN}") and port == settings.PAAS_PUBLIC_PORT
    return http.EVERYWHERE if ours else tuple(row.networks)
