"""Lines of a log as HTML: everything escaped, terminal colours as classes, binary and huge lines tamed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from paas.seams.runtimes.base import LogLine

LONGEST = 2000  # characters of one line on a page; the download has them all
PAGE = 60_000  # characters of lines on a page before any script runs
ESCAPE = re.compile(r"\x1b(?:\[([0-9;:?]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STYLES = {1: "b", 2: "d", 4: "u"}
COLOURS = {*range(30, 38), *range(90, 98)}


@dataclass(frozen=True)
class Line:
    """A line as the page shows it; ``cursor`` is text, since a browser's numbers cannot hold it."""

    cursor: str
    clock: str
    kind: str
    origin: str
    error: bool
    text: SafeString


def shown(line: LogLine) -> Line:
    moment = datetime.fromtimestamp(line.at / 1e9, UTC)
    source = line.source_type
    return Line(
        cursor=str(line.at),
        clock=clock(moment),
        kind=source.split("/")[0],
        origin=f"{origin(source)}/{line.instance}" if line.instance else origin(source),
        error=line.stream == "ERR",
        text=coloured(line.text),
    )


def clock(moment: datetime) -> str:
    """The time of day; before it the date, where it is not today's."""
    day = "" if moment.date() == datetime.now(UTC).date() else f"{moment.day} {moment:%b} "
    return f"{day}{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def origin(source_type: str) -> str:
    """The short name of a source: "APP/PROC/WEB" is web."""
    for prefix in ("APP/PROC/", "APP/"):
        if source_type.startswith(prefix):
            return source_type.removeprefix(prefix).lower()
    return source_type


def fitting(lines: Iterable[LogLine], budget: int = PAGE) -> list[Line]:
    """Take lines, in the order in which they come, until the page has enough of them."""
    taken: list[Line] = []
    for line in lines:
        made = shown(line)
        budget -= len(made.text) + 250
        if budget < 0 and taken:
            break
        taken.append(made)
    return taken


def newest(lines: Iterable[LogLine]) -> list[Line]:
    """Take as many as fit from the newest backwards, and return them oldest first."""
    return fitting(lines)[::-1]


def coloured(text: str) -> SafeString:
    """Escape the text and turn its ANSI colours into spans; other control sequences go."""
    cut = len(text) - LONGEST
    text = text[:LONGEST]
    parts: list[str] = []
    styles: set[str] = set()
    start = 0
    for code in ESCAPE.finditer(text):
        parts.append(_span(text[start : code.start()], styles))
        if code[2] == "m":
            styles = _styles(styles, code[1])
        start = code.end()
    parts.append(_span(text[start:], styles))
    if cut > 0:
        parts.append(f"… ({cut} characters more)")
    return mark_safe("".join(parts))  # noqa: S308  every part went through escape


def _span(text: str, styles: set[str]) -> str:
    safe = escape(UNSEEN.sub("\ufffd", text.replace("\r", "")))
    if not styles or not safe:
        return safe
    return f'<span class="{" ".join(f"ansi-{style}" for style in sorted(styles))}">{safe}</span>'


def _styles(before: set[str], codes: str) -> set[str]:
    """Follow one SGR sequence. Colours of 256 and more are left out, their numbers with them."""
    after = set(before)
    numbers = iter([int(code) for code in re.split("[;:]", codes or "0") if code.isdigit()] or [0])
    for number in numbers:
        if number == 0:
            after.clear()
        elif number in STYLES:
            after.add(STYLES[number])
        elif number == 22:
            after -= {"b", "d"}
        elif number == 24:
            after.discard("u")
        elif number in COLOURS or number == 39:
            after = {style for style in after if not style.isdigit()} | ({str(number)} if number != 39 else set())
        elif number in (38, 48):
            for _ in range(1 if next(numbers, 0) == 5 else 3):
                next(numbers, None)
    return after
