"""Numbers in v3 bodies: how many, how large, how long."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from paas.lib.v3 import Form

MOST = 2**31 - 1
MOST_LOG_RATE = 10**12  # bytes per second


class Whole(serializers.IntegerField):
    """A whole number that may be left out or null, sent as a number or as text."""

    def __init__(self, *, least: int, most: int = MOST, **kwargs: Any) -> None:
        said = "must be greater than 0" if least == 1 else f"must be greater than or equal to {least}"
        kwargs["error_messages"] = {
            "invalid": "is not a number",
            "max_string_length": "is not a number",
            "min_value": said,
            "max_value": f"must be less than or equal to {most}",
        }
        super().__init__(min_value=least, max_value=most, required=False, allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Sizes(Form):
    """What one instance or task may use; reads as the columns' names."""

    memory_in_mb = Whole(least=1, source="memory_mb")
    disk_in_mb = Whole(least=1, source="disk_mb")
    log_rate_limit_in_bytes_per_second = Whole(least=-1, most=MOST_LOG_RATE, source="log_rate")


class Scale(Sizes):
    instances = Whole(least=0)
