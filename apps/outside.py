"""The one place where settings become the seams' objects; each is made once per process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from paas.lib import kinds
from paas.seams import blobs as blob_kinds
from paas.seams import builders as builder_kinds
from paas.seams import routers as router_kinds
from paas.seams import runtimes as runtime_kinds
from paas.seams.blobs.base import Blobs
from paas.seams.builders.base import Builder
from paas.seams.routers.base import Router
from paas.seams.runtimes.base import Runtime


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
def builder() -> Builder:
    kind = kinds.load(builder_kinds.KINDS, settings.PAAS_BUILDER_KIND)
    if settings.PAAS_BUILDER_KIND == "fake":
        return kind(blobs=blobs())
    return kind(
        install=settings.PAAS_INSTALL,
        state=settings.PAAS_STATE,
        blobs=blobs(),
        images=settings.PAAS_STACK_IMAGES,
        buildpacks=settings.PAAS_BUILDPACKS,
    )


@cache
def router() -> Router:
    kind = kinds.load(router_kinds.KINDS, settings.PAAS_ROUTER_KIND)
    return kind() if settings.PAAS_ROUTER_KIND == "fake" else kind(state=settings.PAAS_STATE)
