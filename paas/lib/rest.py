"""What Django REST framework reads from the settings while it loads: who may call, bodies, answers; imports no view."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer

from paas.lib.errors import MessageParseError, NotAuthenticated


class SignedIn(BasePermission):
    """A valid token is needed; which one may do what is the actions' business."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.user is None:
            raise NotAuthenticated()
        return True


class StrictJSONParser(BaseParser):
    """Reads any body as a JSON object, whatever its content type; no body is ``{}``."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        try:
            body = stream.read()
            value = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise MessageParseError() from error
        if not isinstance(value, dict):
            raise MessageParseError("Request invalid due to parse error: the body must be a JSON object")
        return value


class AnyJSONRenderer(JSONRenderer):
    """JSON whatever the Accept header asks for, as Cloud Foundry's clients expect."""

    charset = "utf-8"
