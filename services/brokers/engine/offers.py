"""What the marketplace shows of the platform's own services."""

from __future__ import annotations

from services.brokers.base import CatalogOffering, CatalogPlan

from .base import BackedUp, Server
from .plans import Plan, Service


def offering(service: Service, server: Server) -> CatalogOffering:
    return CatalogOffering(
        id=service.id,
        name=service.name,
        description=service.description,
        plans=tuple(_plan(service, plan, server) for plan in service.plans if not plan.retired),
        plan_updateable=True,
        instances_retrievable=True,
        bindings_retrievable=True,
        tags=server.tags,
        metadata={"displayName": service.title, "longDescription": service.about, "shareable": True},
    )


def _plan(service: Service, plan: Plan, server: Server) -> CatalogPlan:
    size = plan.size
    bullets = [
        f"{service.title} {service.version}",
        f"{amount(size.disk_mb)} of disk, encrypted connections",
        f"{amount(size.memory_mb)} of memory, {size.cpus:g} CPU",
        f"{size.connections} connections at the same time",
    ]
    return CatalogPlan(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        free=plan.free,
        maintenance_info={"version": service.release},
        create_schema=server.schemas.create,
        update_schema=server.schemas.update,
        bind_schema=server.schemas.bind,
        metadata={
            "displayName": plan.name,
            "bullets": bullets,
            "backups": isinstance(server, BackedUp),
            "costs": [{"amount": {"gbp": plan.monthly_gbp}, "unit": "MONTHLY"}],
            "memory_mb": size.memory_mb,
            "disk_mb": size.disk_mb,
            "cpus": size.cpus,
            "connections": size.connections,
        },
    )


def amount(mb: int) -> str:
    """Return MB in the words of a price list: "640 MB", "1.25 GB", "2 TB"."""
    for unit, size in (("TB", 1 << 20), ("GB", 1 << 10)):
        if mb >= size:
            return f"{round(mb / size, 2):g} {unit}"
    return f"{mb} MB"
