"""The one place where settings become the seams' objects; each is made once per process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from paas.lib import kinds
from paas.seams import builders as builder_kinds
from paas.seams import routers as router_kinds
from paas.seams.builders.base import Builder
from paas.seams.routers.base import Router
from services.outside import blobs, runtime

__all__ = ["blobs", "builder", "router", "runtime"]


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
