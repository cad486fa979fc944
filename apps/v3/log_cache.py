"""The log-cache door: the lines of an app's log, as ``cf logs`` asks for them."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps import live
from apps.models import App
from paas.lib.errors import BadRequest, NotFound
from paas.lib.models import by_guid
from paas.lib.v3.door import FirstRenderer
from paas.seams.runtimes.base import LogLine

VERSION = "2.11.0"  # of log-cache, whose answers these are
USUAL_LIMIT, MOST_LIMIT = 100, 1000
NEVER = 2**63 - 1
PROCESS = "APP/PROC/"


class InfoView(APIView):
    """Says which log-cache is spoken here; clients ask before they sign in."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = FirstRenderer

    def get(self, request: Request) -> Response:
        return Response({"version": VERSION, "vm_uptime": str(int(time.clock_gettime(time.CLOCK_BOOTTIME)))})


class ReadView(APIView):
    """Reads one page of an app's log; its source is the app's guid."""

    content_negotiation_class = FirstRenderer

    def get(self, request: Request, source: str) -> Response:
        asked = request.query_params
        start, end = whole(asked, "start_time", 0), whole(asked, "end_time", 0) or NEVER
        if start > end:
            raise BadRequest(f"The start_time {start} must be before the end_time {end}.")
        app = self._app(source)
        lines = []
        if holds_lines(asked) and end > 0:
            lines = live.lines(
                request.user,
                app,
                cursor=start,
                end=None if end == NEVER else end,
                limit=limit(asked),
                descending=asked.get("descending") == "true",
            )
        return Response({"envelopes": {"batch": [envelope(app, line) for line in lines]}})

    def _app(self, source: str) -> App:
        seen = App.objects.visible_to(self.request.user).select_related("space__organization").defer("environment")
        app: App | None = by_guid(seen, source)
        if app is None:
            raise NotFound("App not found")
        return app


def limit(asked: Mapping[str, str]) -> int:
    number = whole(asked, "limit", USUAL_LIMIT)
    if not 0 <= number <= MOST_LIMIT:
        raise BadRequest(f"The limit must be between 1 and {MOST_LIMIT}.")
    return number or USUAL_LIMIT


def whole(asked: Mapping[str, str], name: str, usual: int) -> int:
    """Read a number. Times are nanoseconds since 1970, and clients send the year 1 to mean the beginning."""
    text = asked.get(name) or str(usual)
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20) or int(digits) > NEVER:
        raise BadRequest(f"The query parameter {name} must be a whole number of 64 bits.")
    return int(text)


def holds_lines(asked: Any) -> bool:
    """Tell whether lines are asked for: they have no name to filter by, and are of one type alone."""
    types = [kind for text in asked.getlist("envelope_types") for kind in text.upper().split(",") if kind]
    return not asked.get("name_filter") and (not types or bool({"LOG", "ANY"} & set(types)))


def envelope(app: App, line: LogLine) -> dict[str, Any]:
    """One line as protobuf's JSON writes it: 64-bit numbers are text, bytes are base64."""
    tags = {
        "source_type": line.source_type,
        "app_id": app.guid,
        "app_name": app.name,
        "space_id": app.space.guid,
        "space_name": app.space.name,
        "organization_id": app.space.organization.guid,
        "organization_name": app.space.organization.name,
        "instance_id": line.instance,
    }
    if line.source_type.startswith(PROCESS):
        tags["process_type"] = line.source_type.removeprefix(PROCESS).partition("/")[0].lower()
    return {
        "timestamp": str(line.at),
        "source_id": app.guid,
        "instance_id": line.instance,
        "deprecated_tags": {},
        "tags": tags,
        "log": {"payload": base64.b64encode(line.text.encode("utf-8", "replace")).decode(), "type": line.stream},
    }
