"""What the router answers by itself: pages for browsers, Cloud Foundry's sentences for everyone else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from paas.seams.routers.front import Console

_PAGES = Path(__file__).parent / "pages"
_FAILURES = ["UF", "UC", "URX", "UPE", "LR", "UR", "UT", "SI"]


@dataclass(frozen=True)
class _Reply:
    """One answer: for which of Envoy's own replies, with what status, which page and which plain text."""

    status: int
    flags: list[str]
    page: str
    text: str
    headers: dict[str, str]


_REPLIES = (
    _Reply(
        status=404,
        flags=["NR"],
        page="unknown",
        text="404 Not Found: Requested route ('%REQ(:AUTHORITY)%') does not exist.\n",
        headers={"X-Cf-RouterError": "unknown_route"},
    ),
    _Reply(
        status=503,
        flags=["UH", "NC"],
        page="waiting",
        text="503 Service Unavailable: Requested route ('%REQ(:AUTHORITY)%') has no available endpoints.\n",
        headers={"X-Cf-RouterError": "no_endpoints", "Retry-After": "5"},
    ),
    _Reply(
        status=502,
        flags=_FAILURES,
        page="failed",
        text="502 Bad Gateway: Registered endpoint failed to handle the request.\n",
        headers={"X-Cf-RouterError": "endpoint_failure", "Retry-After": "5"},
    ),
)

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Vcap-Request-Id": "%REQ(X-REQUEST-ID)%",
}

_CONSOLE_SENTENCE = (
    "The platform cannot answer right now: it is being started or updated. Apps go on running. Try again in a minute."
)


def local_replies(console: Console) -> dict[str, Any]:
    """Return Envoy's ``local_reply_config``; the first mapper that matches answers."""
    mappers = [_console_page(console), _console_json(console)]
    for reply in _REPLIES:
        mappers += [_page(reply), _plain(reply)]
    return {"mappers": mappers}


def console_host_pattern(console: Console) -> str:
    """Return a regular expression for the console's ``Host`` headers, with or without a port."""
    return f"(?i)(?:{'|'.join(re.escape(host) for host in console.hosts)})\\.?(?::[0-9]+)?"


def page(name: str) -> str:
    """Return a page as Envoy's format string; its file begins with a line of title and a line of footer."""
    title, footer, body = (_PAGES / f"{name}.html").read_text().split("\n", 2)
    whole = Template((_PAGES / "layout.html").read_text()).substitute(title=title, footer=footer, body=body)
    escaped = whole.replace("%", "%%")  # a single one starts one of Envoy's own placeholders
    return Template(escaped).safe_substitute(reference="%REQ(X-REQUEST-ID)%")


def _page(reply: _Reply) -> dict[str, Any]:
    return _mapper(
        [_flagged(reply.flags), _wants_html()],
        status=reply.status,
        headers=reply.headers,
        body=_html(reply.page),
    )


def _plain(reply: _Reply) -> dict[str, Any]:
    body = {"text_format_source": {"inline_string": reply.text}, "content_type": "text/plain; charset=utf-8"}
    return _mapper([_flagged(reply.flags)], status=reply.status, headers=reply.headers, body=body)


def _console_page(console: Console) -> dict[str, Any]:
    filters = [_console_failed(), _host(console), _wants_html()]
    return _mapper(filters, status=503, headers={"Retry-After": "5"}, body=_html("console"))


def _console_json(console: Console) -> dict[str, Any]:
    error = {"code": 10015, "title": "CF-ServiceUnavailable", "detail": _CONSOLE_SENTENCE}
    body = {"json_format": {"errors": [error]}}
    return _mapper([_console_failed(), _host(console)], status=503, headers={"Retry-After": "5"}, body=body)


def _mapper(
    filters: list[dict[str, Any]], *, status: int, headers: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    headers = _ALWAYS | headers
    return {
        "filter": filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}},
        "status_code": status,
        "body_format_override": body,
        "headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
    }


def _flagged(flags: list[str]) -> dict[str, Any]:
    return {"response_flag_filter": {"flags": flags}}


def _console_failed() -> dict[str, Any]:
    return _flagged(["UH", "NC", *_FAILURES])


def _wants_html() -> dict[str, Any]:
    return {"header_filter": {"header": {"name": "accept", "string_match": {"contains": "text/html"}}}}


def _host(console: Console) -> dict[str, Any]:
    match = {"safe_regex": {"regex": console_host_pattern(console)}}
    return {"header_filter": {"header": {"name": ":authority", "string_match": match}}}


def _html(name: str) -> dict[str, Any]:
    return {"text_format_source": {"inline_string": page(name)}, "content_type": "text/html; charset=utf-8"}
