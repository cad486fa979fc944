"""The logs of an app: what was said lately, live, filtered, linked to and as a download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from apps.live import lines
from apps.models import App
from apps.views.frame import app_of, app_page, for_scripts, person
from apps.views.lines import PAGE, Line, fitting, newest, shown
from paas.seams.runtimes.base import LogLine

RECENT = 300  # lines on the page
AT_ONCE = 500  # lines that are read in one go
LOOKED_AT = 20_000  # lines that one search for a text reads at most
DOWNLOADED = 200_000  # lines of a download at most
BEFORE, AFTER = 40, 160  # lines around the one that a link names
PLATFORM = ("API", "CELL", "HEALTH", "LGR")


@dataclass(frozen=True)
class Asked:
    """What is read of a log: where it comes from ("" is everything), of which instance, and with which text in it."""

    origin: str
    instance: str
    text: str
    source_types: tuple[str, ...]

    @property
    def query(self) -> str:
        given = {"from": self.origin, "instance": self.instance, "text": self.text}
        return urlencode({name: value for name, value in given.items() if value})

    def reading(self) -> dict[str, Any]:
        return {"source_types": self.source_types, "instance": self.instance}

    def holds(self, line: LogLine) -> bool:
        return self.text.lower() in line.text.lower()


def origins(app: App) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The filters that there are: name -> (words, source types)."""
    named: dict[str, tuple[str, tuple[str, ...]]] = {}
    sidecars = list(app.sidecars.all())
    for process in app.processes.order_by("id"):
        beside = (f"SIDECAR/{s.name.upper()}" for s in sidecars if process.type in s.process_types)
        whole = f"APP/PROC/{process.type.upper()}"
        named[process.type] = (f"App: {process.type}", (whole, *(f"{whole}/{each}" for each in beside)))
    for name in app.tasks.order_by("name").values_list("name", flat=True).distinct()[:50]:
        named[f"task/{name}"] = (f"Task: {name}", (f"APP/TASK/{name}",))
    return named | {
        "router": ("Router: requests", ("RTR",)),
        "build": ("Builds", ("STG",)),
        "platform": ("Platform", PLATFORM),
    }


def asked_for(query: QueryDict, app: App) -> Asked:
    origin, instance = query.get("from", ""), query.get("instance", "")
    known = origins(app)
    return Asked(
        origin=origin if origin in known else "",
        instance=instance if instance.isdecimal() and len(instance) < 6 else "",
        text=query.get("text", "").strip()[:200],
        source_types=known[origin][1] if origin in known else (),
    )


def cursor_in(query: QueryDict, name: str) -> int:
    value = query.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 20 else 0


def backwards(request: HttpRequest, app: App, asked: Asked, *, most: int) -> Iterator[LogLine]:
    """Yield up to ``most`` lines that are asked for, the newest first."""
    end: int | None = None
    found = read = 0
    while found < most and read < LOOKED_AT:
        part = lines(person(request), app, end=end, limit=AT_ONCE, descending=True, **asked.reading())
        for line in part:
            if found < most and asked.holds(line):
                found += 1
                yield line
        if len(part) < AT_ONCE:
            return
        end, read = part[-1].at, read + len(part)


@login_required
@require_safe
def page(request: HttpRequest, guid: str) -> HttpResponse:
    app = app_of(request, guid)
    asked = asked_for(request.GET, app)
    at = cursor_in(request.GET, "at")
    told = _around(request, app, asked, at) if at else newest(backwards(request, app, asked, most=RECENT))
    context = {
        "asked": asked,
        "origins": [(name, words) for name, (words, _types) in origins(app).items()],
        "lines": told,
        "cursor": str(int(told[-1].cursor) + 1 if told else 0),
        "base": base(app, asked),
        "at": str(at) if at else "",
        "instances": _instances(app),
    }
    return app_page(request, app, "apps/logs.html", tab="app_logs", **context)


def base(app: App, asked: Asked) -> str:
    """The address of the page as it is filtered, for links to single lines."""
    return f"{reverse('app_logs', args=[app.guid])}?{asked.query}{'&' if asked.query else ''}"


def _instances(app: App) -> list[str]:
    most = max((process.instances for process in app.processes.all()), default=0)
    return [str(index) for index in range(min(most, 100))]


def _around(request: HttpRequest, app: App, asked: Asked, at: int) -> list[Line]:
    """The lines around one that a link names, oldest first."""
    user = person(request)
    after = lines(user, app, cursor=at, limit=AFTER, **asked.reading())
    before = lines(user, app, end=at, limit=BEFORE, descending=True, **asked.reading())
    earlier = fitting((line for line in before if asked.holds(line)), PAGE // 4)[::-1]
    return earlier + fitting((line for line in after if asked.holds(line)), PAGE * 3 // 4)


@for_scripts
@require_safe
def since(request: HttpRequest, guid: str) -> HttpResponse:
    """The lines from a cursor on, for the page's script."""
    app = app_of(request, guid)
    asked = asked_for(request.GET, app)
    cursor = cursor_in(request.GET, "cursor")
    read = lines(person(request), app, cursor=cursor, limit=AT_ONCE, **asked.reading())
    told = [shown(line) for line in read if asked.holds(line)]
    return JsonResponse(
        {
            "lines": render_to_string("apps/lines.html", {"lines": told, "base": base(app, asked)}),
            "cursor": str(read[-1].at + 1) if read else str(cursor),
            "more": len(read) == AT_ONCE,
        }
    )


@login_required
@require_safe
def download(request: HttpRequest, guid: str) -> StreamingHttpResponse:
    """The log as text, oldest line first, filtered as the page is."""
    app = app_of(request, guid)
    asked = asked_for(request.GET, app)
    first = lines(person(request), app, limit=AT_ONCE, **asked.reading())  # what refuses does so before any line is out
    answer = StreamingHttpResponse(_text(request, app, asked, first), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(app.name) or "app"}-log.txt"'
    return answer


def _text(request: HttpRequest, app: App, asked: Asked, part: list[LogLine]) -> Iterator[str]:
    read = 0
    while part and read < DOWNLOADED:
        for line in part:
            if asked.holds(line):
                moment = datetime.fromtimestamp(line.at / 1e9, UTC).isoformat(timespec="milliseconds")
                yield f"{moment} [{line.source_type}/{line.instance}] {line.stream} {line.text}\n"
        read += len(part)
        full = len(part) == AT_ONCE
        part = lines(person(request), app, cursor=part[-1].at + 1, limit=AT_ONCE, **asked.reading()) if full else []
