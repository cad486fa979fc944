"""Every operation of the API, read from its OpenAPI description."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from drf_spectacular.generators import SchemaGenerator

NAMES = {"api": "Logs"}  # kinds whose path says something else
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str


@lru_cache(maxsize=1)
def by_tag() -> list[tuple[str, list[Operation]]]:
    """Return (kind of resource in words, its operations), in the order of the paths."""
    description = SchemaGenerator().get_schema(request=None, public=True)
    found: dict[str, list[Operation]] = {}
    for path, operations in description["paths"].items():
        for method in METHODS:
            if told := operations.get(method):
                tag = told["tags"][0]
                tag = NAMES.get(tag) or tag.replace("_", " ").capitalize()
                found.setdefault(tag, []).append(Operation(method.upper(), path, told.get("summary", "")))
    return list(found.items())
