"""Every operation that there is, read from the addresses themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

ANY = "ANY"  # a view that asks for no method
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACEHOLDER = re.compile(r"<(?:(\w+):)?(\w+)>")
REST = {"^v3(?:/.*)?$": "v3/nowhere", "uaa/^.*$": "uaa/nowhere"}  # what is left over, and an address that it catches


def patterns(found: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every address with its view, those of included files too."""
    for each in get_resolver().url_patterns if found is None else found:
        here = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, here)
        else:
            yield here, each


def operations(admin: Client) -> set[tuple[str, str]]:
    """Return (method, address) of all that can be asked for."""
    return {(method, here) for here, each in patterns() for method in _methods(here, each.callback, admin)}


def _methods(here: str, view: Any, admin: Client) -> set[str]:
    if actions := getattr(view, "actions", None):
        return {method.upper() for method in actions if method != "head"}  # put there when it is first asked for
    if kind := getattr(view, "cls", None) or getattr(view, "view_class", None):
        return {method for method in METHODS if hasattr(kind, method.lower())} or {ANY}
    answer = admin.options(address(here, {}))  # a function says which methods it takes when it is asked by another
    return set(answer.headers["Allow"].split(", ")) & set(METHODS) if answer.status_code == 405 else {ANY}


def address(pattern: str, things: dict[str, str]) -> str:
    """Return the address with its placeholders filled; what has no thing gets anything that fits."""

    def filled(match: re.Match[str]) -> str:
        return things.get(match[2]) or ("1" if match[1] == "int" else "x")

    return "/" + PLACEHOLDER.sub(filled, REST.get(pattern, pattern))
