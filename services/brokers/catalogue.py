"""Reads a catalogue as the Open Service Broker API has it, and lists everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for

from services.brokers.base import CatalogOffering, CatalogPlan
from services.brokers.errors import CatalogInvalid

REQUIRES = ("syslog_drain", "route_forwarding", "volume_mount")
LONGEST, LONGEST_TEXT, LARGEST_SCHEMA = 255, 10_000, 64 << 10
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
SCHEMAS = (("service_instance", "create"), ("service_instance", "update"), ("service_binding", "create"))
FLAGS = ("plan_updateable", "instances_retrievable", "bindings_retrievable", "allow_context_updates")


def read(document: Any) -> tuple[CatalogOffering, ...]:
    """Return what the document offers; raise ``CatalogInvalid`` with every problem."""
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, list):
        raise CatalogInvalid("The catalog must be an object with a list of 'services'.")
    if problems := [*_catalogue_problems(services)]:
        raise CatalogInvalid(*problems)
    return tuple(_offering(service) for service in services)


def _catalogue_problems(services: list[Any]) -> Iterator[str]:
    for number, service in enumerate(services, start=1):
        if not isinstance(service, dict):
            yield f"Service {number} must be an object."
            continue
        where = f"Service '{service.get('name') or number}'"
        yield from (f"{where}: {problem}" for problem in _service_problems(service))
    known = [service for service in services if isinstance(service, dict)]
    yield from _twice(known, "id", "Service ids must be unique within a broker")
    yield from _twice(known, "name", "Service names must be unique within a broker")
    clients = [service["dashboard_client"] for service in known if isinstance(service.get("dashboard_client"), dict)]
    yield from _twice(clients, "id", "Service dashboard client ids must be unique within a broker")
    plans = [plan for service in known for plan in _plans(service)]
    yield from _twice(plans, "id", "Plan ids must be unique within a broker")


def _plans(service: dict[str, Any]) -> list[dict[str, Any]]:
    plans = service.get("plans")
    return [plan for plan in plans if isinstance(plan, dict)] if isinstance(plans, list) else []


def _twice(things: list[dict[str, Any]], key: str, rule: str) -> Iterator[str]:
    counts = Counter(thing[key] for thing in things if isinstance(thing.get(key), str) and thing[key])
    yield from (f"{rule}: '{value}' is there {count} times." for value, count in counts.items() if count > 1)


def _service_problems(service: dict[str, Any]) -> Iterator[str]:
    yield from _texts(service, "Service", id=LONGEST, name=LONGEST, description=LONGEST_TEXT)
    if not isinstance(service.get("bindable"), bool):
        yield "Service bindable must be given, as true or false."
    for flag in FLAGS:
        yield from _kind(service, flag, bool, "Service", "true or false")
    yield from _kind(service, "metadata", dict, "Service", "an object")
    yield from _string_list(service, "tags")
    yield from _string_list(service, "requires")
    requires = service.get("requires")
    for each in requires if isinstance(requires, list) else []:
        if isinstance(each, str) and each not in REQUIRES:
            yield f"Service requires may only hold {', '.join(REQUIRES)}, not '{each}'."
    yield from _dashboard_problems(service.get("dashboard_client"))
    plans = service.get("plans")
    if not isinstance(plans, list) or not plans:
        yield "At least one plan is required."
        return
    for number, plan in enumerate(plans, start=1):
        if not isinstance(plan, dict):
            yield f"Plan {number} must be an object."
            continue
        yield from (f"Plan '{plan.get('name') or number}': {problem}" for problem in _plan_problems(plan))
    yield from _twice(_plans(service), "name", "Plan names must be unique within a service")


def _dashboard_problems(client: Any) -> Iterator[str]:
    if client is None:
        return
    if not isinstance(client, dict):
        yield "Service dashboard client must be an object."
        return
    yield from _texts(client, "Service dashboard client", id=LONGEST, secret=LONGEST_TEXT, redirect_uri=LONGEST_TEXT)


def _plan_problems(plan: dict[str, Any]) -> Iterator[str]:
    yield from _texts(plan, "Plan", id=LONGEST, name=LONGEST, description=LONGEST_TEXT)
    for flag in ("free", "bindable", "plan_updateable"):
        yield from _kind(plan, flag, bool, "Plan", "true or false")
    yield from _kind(plan, "metadata", dict, "Plan", "an object")
    longest = plan.get("maximum_polling_duration")
    if longest is not None and (not isinstance(longest, int) or isinstance(longest, bool) or not 0 <= longest < 2**31):
        yield "Plan maximum_polling_duration must be a whole number of seconds."
    yield from _maintenance_problems(plan.get("maintenance_info"))
    yield from _schemas_problems(plan.get("schemas"))


def _maintenance_problems(info: Any) -> Iterator[str]:
    if info is None:
        return
    if not isinstance(info, dict):
        yield "Maintenance info must be an object."
        return
    if not isinstance(info.get("version"), str) or not SEMVER.fullmatch(info["version"]):
        yield "Maintenance info version must be a Semantic Version, like 1.2.3."
    yield from _kind(info, "description", str, "Maintenance info", "a text")


def _schemas_problems(schemas: Any) -> Iterator[str]:
    if schemas is None:
        return
    if not isinstance(schemas, dict):
        yield "Schemas must be an object."
        return
    for what, verb in SCHEMAS:
        of_what = schemas.get(what) or {}
        of_verb = (of_what.get(verb) or {}) if isinstance(of_what, dict) else None
        if not isinstance(of_verb, dict):
            yield f"Schemas {what}.{verb} must be an object."
        elif of_verb.get("parameters") is not None:
            name = f"Schema {what}.{verb}.parameters"
            yield from (f"{name} {problem}" for problem in _schema_problems(of_verb["parameters"]))


def _schema_problems(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "must be an object."
        return
    if len(json.dumps(schema)) > LARGEST_SCHEMA:
        yield "is larger than 64 KB."
        return
    if not isinstance(schema.get("$schema"), str):
        yield "must have a '$schema' that names the version of JSON Schema."
        return
    for reference in _references(schema):
        if not reference.startswith("#"):
            yield f"refers to '{reference}'; only references inside the schema are followed."
    yield from _unlike_a_schema(json.dumps(schema, sort_keys=True))


@lru_cache(maxsize=1024)  # plans by the hundred have the same one
def _unlike_a_schema(text: str) -> tuple[str, ...]:
    schema = json.loads(text)
    validator: Any = validator_for(schema, default=None)
    if validator is None:
        return (f"names a version of JSON Schema that is not known here: '{schema['$schema'][:LONGEST]}'.",)
    try:
        validator.check_schema(schema)
    except SchemaError as error:
        return (f"is no valid JSON Schema: {error.message[:500]}.",)
    return ()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _texts(thing: dict[str, Any], what: str, **longest: int) -> Iterator[str]:
    for key, most in longest.items():
        value = thing.get(key)
        if value is None or value == "":
            yield f"{what} {key} is required."
        elif not isinstance(value, str):
            yield f"{what} {key} must be a text, not {json.dumps(value)[:100]}."
        elif not value.strip():
            yield f"{what} {key} must not be blank."
        elif len(value) > most:
            yield f"{what} {key} must have at most {most} characters."


def _kind(thing: dict[str, Any], key: str, kind: type, what: str, words: str) -> Iterator[str]:
    if thing.get(key) is not None and not isinstance(thing[key], kind):
        yield f"{what} {key} must be {words}, not {json.dumps(thing[key])[:100]}."


def _string_list(thing: dict[str, Any], key: str) -> Iterator[str]:
    value = thing.get(key)
    if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        yield f"Service {key} must be a list of texts."


def _offering(service: dict[str, Any]) -> CatalogOffering:
    return CatalogOffering(
        id=service["id"],
        name=service["name"],
        description=service["description"],
        plans=tuple(_plan(plan) for plan in service["plans"]),
        bindable=service["bindable"],
        tags=tuple(service.get("tags") or ()),
        requires=tuple(service.get("requires") or ()),
        dashboard_client=(service.get("dashboard_client") or {}).get("id", ""),
        metadata=service.get("metadata") or {},
        **{flag: bool(service.get(flag)) for flag in FLAGS},
    )


def _plan(plan: dict[str, Any]) -> CatalogPlan:
    schemas = plan.get("schemas") or {}
    create, update, bind = (
        ((schemas.get(what) or {}).get(verb) or {}).get("parameters") or {} for what, verb in SCHEMAS
    )
    return CatalogPlan(
        id=plan["id"],
        name=plan["name"],
        description=plan["description"],
        free=plan.get("free") is not False,
        bindable=plan.get("bindable"),
        plan_updateable=plan.get("plan_updateable"),
        maximum_polling_duration=plan.get("maximum_polling_duration"),
        maintenance_info=plan.get("maintenance_info") or {},
        create_schema=create,
        update_schema=update,
        bind_schema=bind,
        metadata=plan.get("metadata") or {},
    )
