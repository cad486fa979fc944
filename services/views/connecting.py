"""Which lines of code show how to connect to an instance."""

from __future__ import annotations

import json

from services.models import ServiceInstance

LANGUAGES = (("python", "Python"), ("node", "Node.js"), ("java", "Java"), ("go", "Go"))
KINDS = (
    ("postgres", ("postgres", "postgresql")),
    ("mysql", ("mysql", "mariadb")),
    ("redis", ("redis",)),
)  # of lines -> tags of what they fit


def kind_of(instance: ServiceInstance) -> str:
    """Return which lines fit: those of a database that is known by its tags, or the ones for whatever there is."""
    tags = {str(tag).lower() for tag in (*(instance.plan.offering.tags if instance.plan else ()), *instance.tags)}
    return next((kind for kind, names in KINDS if tags & set(names)), "other")


def quoted(instance: ServiceInstance) -> dict[str, str]:
    """Return what VCAP_SERVICES lists it under, and its name there, as texts of a program in any of the languages."""
    label = instance.plan.offering.name if instance.plan else "user-provided"
    return {"label": json.dumps(label), "name": json.dumps(instance.name)}
