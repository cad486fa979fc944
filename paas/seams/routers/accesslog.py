"""One line of JSON for each request to an app, for the cell agent to carry into the app's own log."""

from __future__ import annotations

import json
from typing import Any

from paas.seams.routers.folder import Folder
from paas.seams.routers.front import Console
from paas.seams.routers.replies import console_host_pattern

# The instance knows its app; without an instance the route's first app has to do.
_APP = {
    "operators": [
        {"command": "METADATA", "param": "UPSTREAM_HOST:paas:app"},
        {"command": "METADATA", "param": "ROUTE:paas:app"},
    ]
}

_FIELDS = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "app": f"%COALESCE({json.dumps(_APP)})%",
    "route": "%METADATA(ROUTE:paas:route)%",
    "instance": "%METADATA(UPSTREAM_HOST:paas:instance)%",
    "index": "%METADATA(UPSTREAM_HOST:paas:index)%",
    "host": "%REQ(:AUTHORITY)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "user_agent": "%REQ(USER-AGENT)%",
    "referer": "%REQ(REFERER)%",
    "forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "vcap_request_id": "%REQ(X-REQUEST-ID)%",
    "downstream": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "upstream": "%UPSTREAM_HOST%",
    "router_error": "%RESP(X-CF-ROUTERERROR)%",
    "flags": "%RESPONSE_FLAGS%",
}


def access_log(folder: Folder, console: Console) -> dict[str, Any]:
    """Return the log of everything but the console, whose paths may hold one-time secrets."""
    hosts = {"safe_regex": {"regex": console_host_pattern(console)}}
    return {
        "name": "envoy.access_loggers.file",
        "filter": {"header_filter": {"header": {"name": ":authority", "string_match": hosts, "invert_match": True}}},
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(folder.access_log),
            "log_format": {"json_format": _FIELDS},
        },
    }
