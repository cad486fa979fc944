"""The OpenAPI description of each operation, from the view, its query and its forms."""

from __future__ import annotations

import re
import sys
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from paas.lib.v3.door import ResourceViewSet

BODIES = {"create": "New", "update": "Change"}  # how a door's module names the form of an operation
METHODS = {"GET": "Show", "POST": "Add to", "PUT": "Change", "PATCH": "Change", "DELETE": "Remove from"}
VERBS = {"retrieve": "Show", "create": "Create", "update": "Change", "destroy": "Delete"}


class MetadataDescription(OpenApiSerializerFieldExtension):
    target_class = "paas.lib.v3.bodies.MetadataField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        texts = {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}
        return {"type": "object", "properties": {"labels": texts, "annotations": texts}}


class Schema(AutoSchema):
    def get_summary(self) -> str:
        """The first line of the method's own docstring, else what its name and path say."""
        method = getattr(type(self.view), self._action, None)
        inherited = method is getattr(ResourceViewSet, self._action, None)
        told = (method.__doc__ or "").strip().splitlines() if method and not inherited else []
        return told[0].rstrip(".") if told else self._summary()

    def get_description(self) -> str:
        return ""

    def get_operation_id(self) -> str:
        words = [word for part in self._segments for word in re.findall(r"\w+", part)]
        return "_".join([self.method.lower(), *words])

    def get_request_serializer(self) -> Any:
        form = getattr(sys.modules[type(self.view).__module__], BODIES.get(self._action, ""), None)
        return form() if form else None

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # lists come in an envelope

    def map_parsers(self) -> list[str]:
        return ["application/json"]

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        """Forms are called New and Change in every door; the door's module tells them apart."""
        kind = type(serializer)
        return "".join(word.capitalize() for word in kind.__module__.rpartition(".")[2].split("_")) + kind.__name__

    def get_response_serializers(self) -> Any:
        return {200: {"type": "object", "additionalProperties": True}}

    def get_override_parameters(self) -> list[Any]:
        query = getattr(self.view, "query", None)
        if self._action != "list" or query is None:
            return []
        return [OpenApiParameter(name, str, OpenApiParameter.QUERY) for name in query.valid()]

    @property
    def _action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def _segments(self) -> list[str]:
        return self.path.strip("/").split("/")[1:]

    def _summary(self) -> str:
        fixed = [part.replace("_", " ") for part in self._segments if not part.startswith("{")]
        noun = _noun(self.view)
        if self._action == "list":
            return f"List {fixed[-1]}" if len(fixed) == 1 else f"List the {fixed[-1]} of {_a(fixed[0])}"
        if self._action in VERBS and len(fixed) == 1:
            return f"{VERBS[self._action]} {_a(noun)}"
        if "actions" in fixed[1:]:
            return f"{fixed[-1].capitalize()} {_a(fixed[fixed.index('actions') - 1])}"
        verb = VERBS.get(self._action) or METHODS.get(self.method, "Do")
        return f"{verb} the {fixed[-1]} of {_a(fixed[0])}" if len(fixed) > 1 else f"{verb} {fixed[0]}"


def _noun(view: Any) -> str:
    return getattr(view, "noun", "Resource").lower()


def _a(words: str) -> str:
    """ "apps" and "app" become "an app"; what has no singular of its own stays."""
    one = words if words.endswith(("ss", "us")) else re.sub("(ss|us)es$", r"\1", words).removesuffix("s")
    one = re.sub("ies$", "y", words) if words.endswith("ies") else one
    return f"{'an' if one[:1] in 'aeio' else 'a'} {one}"
