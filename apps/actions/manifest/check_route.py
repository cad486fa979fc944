"""Checks what a manifest says of routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.actions.manifest.wanted import WantedRoute

ADDRESS = re.compile(
    r"(?:https?://)?(?P<name>(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\s]*)?",
    re.IGNORECASE,
)
PROTOCOLS = (None, "http1")
BALANCING = ("round-robin", "least-connection")
SWITCHES = ("no_route", "random_route", "default_route")
Sent = Mapping[str, Any]


def switches(sent: Sent, problems: list[str]) -> dict[str, bool]:
    for key in SWITCHES:
        if not isinstance(sent.get(key, False), bool | None):
            problems.append(f"{key.replace('_', '-').capitalize()} must be a boolean")
    found = {key: sent.get(key) is True for key in SWITCHES}
    if found["random_route"] and found["default_route"]:
        problems.append("Random-route and default-route may not be used together")
    return found


def routes(sent: Sent, problems: list[str]) -> tuple[WantedRoute, ...] | None:
    """The routes that are listed, or None where there is no list."""
    asked = sent.get("routes")
    if asked is None:
        return None
    if not isinstance(asked, list) or not all(isinstance(one, dict) and one.get("route") for one in asked):
        problems.append("Routes must be a list of route objects")
        return None
    return tuple(found for one in asked if (found := _route(one, problems)))


def _route(sent: Sent, problems: list[str]) -> WantedRoute | None:
    text = str(sent["route"])
    if sent.get("protocol") not in PROTOCOLS:
        problems.append(f"Route '{text}': protocol must be 'http1': the router speaks HTTP/1.1 to apps.")
    options = _options(text, sent.get("options"), problems)
    address = ADDRESS.fullmatch(text)
    if address is None:
        problems.append(f"The route '{text}' is not a properly formed URL")
        return None
    if address["port"] and f":{int(address['port'])}" not in _own_ports():
        problems.append(f"The route '{text}' names a port, and there are no TCP routes here. Leave the port out.")
    return WantedRoute(text, address["name"].lower(), (address["path"] or "").rstrip("/"), options)


def _own_ports() -> tuple[str, ...]:
    """What an address may end in because the platform's own addresses do."""
    return (settings.PAAS_PORT_SUFFIX,) if settings.PAAS_PORT_SUFFIX else (":80", ":443")


def _options(text: str, sent: Any, problems: list[str]) -> dict[str, str | None]:
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        problems.append(f"Route '{text}': options must be an object")
        return {}
    problems += [
        f"Route '{text}' contains invalid route option '{key}'. Valid keys: 'loadbalancing'"
        for key in sent
        if key != "loadbalancing"
    ]
    value = sent.get("loadbalancing")
    if "loadbalancing" in sent and value not in (None, *BALANCING):
        problems.append(
            f"Cannot use loadbalancing value '{value}' for Route '{text}'; Valid values are: '{', '.join(BALANCING)}'"
        )
    return {"loadbalancing": value} if "loadbalancing" in sent else {}
