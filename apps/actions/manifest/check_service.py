"""Checks what a manifest says of services to be bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.actions.manifest.wanted import WantedService

SERVICES = "Services must be a list of names, or of objects with a name, and perhaps parameters and a binding_name"


def services(sent: Mapping[str, Any], problems: list[str]) -> tuple[WantedService, ...]:
    """Return the services that the manifest names, each once."""
    asked = sent.get("services")
    if asked is None:
        return ()
    if not isinstance(asked, list):
        problems.append(SERVICES)
        return ()
    found = [_service(each) for each in asked]
    if None in found:
        problems.append(SERVICES)
    return tuple({each.name: each for each in found if each}.values())


def _service(sent: Any) -> WantedService | None:
    one = {"name": sent} if isinstance(sent, str) else sent
    if not isinstance(one, dict) or set(one) - {"name", "parameters", "binding_name"}:
        return None
    name, binding_name, parameters = one.get("name"), one.get("binding_name") or "", one.get("parameters") or {}
    if not isinstance(name, str) or not name or not isinstance(binding_name, str) or not isinstance(parameters, dict):
        return None
    return WantedService(name, binding_name, parameters)
