"""What Django REST framework reads from the settings while it loads: who may call, bodies, answers; imports no view."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer

from paas.lib.errors import MessageParseError, NotAuthenticated
from paas.lib.text import is_storable


class SignedIn(BasePermission):
    """A valid token is needed; which one may do what is the actions' business."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.user is None:
            raise NotAuthenticated()
        return True


def _check(value: Any) -> None:
    """Raise ``MessageParseError`` where a text or a key anywhere in the value could not be stored."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and not is_storable(each):
            raise MessageParseError(
                "Request invalid due to parse error: a null byte or half a character is in the body"
            )


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number that JSON has")


class StrictJSONParser(BaseParser):
    """Reads any body as a JSON object, whatever its content type; no body is ``{}``.

    JSON can write texts that nothing here can keep, and Python's reader takes numbers that are none: both are refused.
    """

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        try:
            body = stream.read()
            value = json.loads(body, parse_constant=_no_number) if body.strip() else {}
            _check(value)
        except (ValueError, RecursionError) as error:
            raise MessageParseError() from error
        if not isinstance(value, dict):
            raise MessageParseError("Request invalid due to parse error: the body must be a JSON object")
        return value


class AnyJSONRenderer(JSONRenderer):
    """JSON whatever the Accept header asks for, as Cloud Foundry's clients expect."""

    charset = "utf-8"
