"""Text from outside: neither the database nor a container's environment can hold all of it."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")
_WRONG = re.compile("[\0\ud800-\udfff]")  # a null byte, or half of a character


def is_storable(text: str) -> bool:
    return _WRONG.search(text) is None


def storable(text: str) -> str:
    """Return the text with a mark in place of whatever cannot be stored."""
    return _WRONG.sub("\ufffd", text)


def public(address: str) -> str:
    """Return an address without the user and the password that it may carry."""
    return _CREDENTIALS.sub(r"\1***:***@", address)
