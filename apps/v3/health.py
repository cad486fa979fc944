"""Health checks in v3 bodies, of both kinds: is it alive, and may it get requests."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from rest_framework import serializers

from apps.v3.sizes import Whole
from paas.lib.v3 import Form

PATH = re.compile(r"^/[^\s\x00-\x1f]*$")


class CheckData(Form):
    invocation_timeout = Whole(least=1)
    interval = Whole(least=1)
    endpoint = serializers.CharField(max_length=255, required=False, allow_null=True)

    def validate_endpoint(self, endpoint: str | None) -> str:
        if endpoint and not PATH.match(endpoint):
            raise serializers.ValidationError("must be a valid URI path")
        return endpoint or ""


class LivenessData(CheckData):
    timeout = Whole(least=1)


class Readiness(Form):
    """Reads as the columns' names."""

    prefix: ClassVar[str] = "readiness"
    type = serializers.ChoiceField(
        ["port", "process", "http"],
        required=False,
        error_messages={"invalid_choice": 'must be "port", "process", or "http"'},
    )
    data = CheckData(required=False, allow_null=True)  # type: ignore[assignment]

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        kind, data = sent.get("type"), dict(sent.get("data") or {})
        if kind not in (None, "http"):
            if data.get("endpoint"):
                raise serializers.ValidationError('type must be "http" to set a health check HTTP endpoint')
            data["endpoint"] = ""
        columns = data | ({"type": kind} if kind else {})
        return {f"{self.prefix}_{name}": value for name, value in columns.items()}


class Liveness(Readiness):
    prefix = "health"
    data = LivenessData(required=False, allow_null=True)  # type: ignore[assignment]
