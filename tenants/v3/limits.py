"""What the bodies of both kinds of quota have in common: groups of limits, where null is without limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from paas.lib.v3 import Form

MOST = 2**31 - 1
COLUMNS = {
    "total_memory_in_mb": "total_memory_mb",
    "per_process_memory_in_mb": "per_process_memory_mb",
    "log_rate_limit_in_bytes_per_second": "log_rate",
}


def limit(most: int = MOST) -> serializers.IntegerField:
    messages = {
        "invalid": "is not a number",
        "min_value": "must be greater than or equal to 0",
        "max_value": f"must be less than or equal to {most}",
    }
    return serializers.IntegerField(
        min_value=0, max_value=most, allow_null=True, required=False, error_messages=messages
    )


class Apps(Form):
    total_memory_in_mb = limit()
    per_process_memory_in_mb = limit()
    total_instances = limit()
    per_app_tasks = limit()
    log_rate_limit_in_bytes_per_second = limit(2**63 - 1)


class Services(Form):
    paid_services_allowed = serializers.BooleanField(required=False)
    total_service_instances = limit()
    total_service_keys = limit()


class Routes(Form):
    total_routes = limit()
    total_reserved_ports = limit()


class Domains(Form):
    total_domains = limit()


class Change(Form):
    """A partial quota; reads as columns of ``Limits``."""

    name = serializers.CharField(max_length=250, required=False)
    apps = Apps(required=False)
    services = Services(required=False)
    routes = Routes(required=False)


GROUPS = {"apps": Apps, "services": Services, "routes": Routes, "domains": Domains}


def grouped(limits: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return columns of ``Limits`` as the groups of a body, with what there is of each."""
    found: dict[str, dict[str, Any]] = {}
    for group, form in GROUPS.items():
        for name in form().fields:
            if (column := COLUMNS.get(name, name)) in limits:
                found.setdefault(group, {})[name] = limits[column]
    return found


def columns(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the validated body as columns, without its relationships."""
    found = {"name": sent["name"]} if "name" in sent else {}
    for group in GROUPS:
        found |= {COLUMNS.get(name, name): value for name, value in sent.get(group, {}).items()}
    return found
