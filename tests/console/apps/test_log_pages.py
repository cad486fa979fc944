"""The logs of an app: recent and live lines, filters, links to a line, and the download."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apps import outside
from apps.models import App
from apps.views.lines import LONGEST, clock, coloured
from paas.seams.runtimes.base import LogLine

pytestmark = pytest.mark.django_db


@pytest.fixture
def logged(app: App, runtime: Any) -> App:
    lines = [("APP/PROC/WEB", "0", "OUT", "hello from web"), ("APP/PROC/WEB", "1", "ERR", "trouble in web")]
    lines += [("RTR", "0", "OUT", "GET / 200"), ("STG", "0", "OUT", "compiling"), ("CELL", "0", "ERR", "it ended")]
    outside.runtime().write_log(app.guid, [LogLine(0, *line) for line in lines])  # type: ignore[arg-type]
    return app


def page(client: Any, app: App, query: str = "") -> str:
    answer = client.get(f"/apps/{app.guid}/logs{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def cursor_of(app: App, text: str) -> int:
    return next(line.at for line in outside.runtime().read_log(app.guid) if line.text == text)


def test_everything_recent_is_there_in_order(browser: Any, bob: Any, logged: App) -> None:
    text = page(browser(bob), logged)
    places = [text.index(each) for each in ("hello from web", "trouble in web", "GET / 200", "compiling", "it ended")]
    assert places == sorted(places)
    assert "app-line--err" in text


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("?from=web", "hello from web", "GET / 200"),
        ("?from=router", "GET / 200", "hello from web"),
        ("?from=build", "compiling", "GET / 200"),
        ("?from=platform", "it ended", "compiling"),
        ("?instance=1", "trouble in web", "hello from web"),
        ("?text=TROUBLE", "trouble in web", "hello from web"),
        ("?from=nothing-known", "hello from web", "no such text"),
    ],
)
def test_filters(browser: Any, alice: Any, logged: App, query: str, there: str, gone: str) -> None:
    client = browser(alice)
    for text in (page(client, logged, query), client.get(f"/apps/{logged.guid}/logs/text{query}").getvalue().decode()):
        assert there in text
        assert gone not in text
    assert there in client.get(f"/apps/{logged.guid}/logs/lines{query}").json()["lines"]


def test_each_line_has_a_link_that_finds_it_later(browser: Any, alice: Any, logged: App) -> None:
    at = cursor_of(logged, "GET / 200")
    assert f"at={at}#{at}" in page(browser(alice), logged)
    outside.runtime().write_log(logged.guid, [LogLine(0, "RTR", "0", "OUT", f"later {n}") for n in range(400)])
    assert f'id="{at}"' not in page(browser(alice), logged)
    text = page(browser(alice), logged, f"?at={at}")
    assert f'id="{at}"' in text
    assert "hello from web" in text
    assert "data-more" not in text


def test_lines_resume_from_the_cursor(browser: Any, alice: Any, logged: App) -> None:
    client = browser(alice)
    first = client.get(f"/apps/{logged.guid}/logs/lines").json()
    outside.runtime().write_log(logged.guid, [LogLine(0, "RTR", "0", "OUT", "the newest")])
    second = client.get(f"/apps/{logged.guid}/logs/lines?cursor={first['cursor']}").json()
    assert "the newest" in second["lines"]
    assert "it ended" not in second["lines"]


def test_a_text_is_looked_for_further_back(browser: Any, alice: Any, logged: App) -> None:
    outside.runtime().write_log(logged.guid, [LogLine(0, "RTR", "0", "OUT", f"later {n}") for n in range(1200)])
    assert "hello from web" in page(browser(alice), logged, "?text=hello")


def test_the_page_stays_small_whatever_is_in_the_log(browser: Any, alice: Any, logged: App) -> None:
    huge = [LogLine(0, "APP/PROC/WEB", "0", "OUT", f"{number} " + "<x>" * 100_000) for number in range(60)]
    outside.runtime().write_log(logged.guid, huge)
    text = page(browser(alice), logged)
    assert len(text) < 100_000
    assert "59 &lt;x&gt;" in text
    assert "characters more" in text


def test_the_download_has_every_line_whole(browser: Any, bob: Any, logged: App) -> None:
    outside.runtime().write_log(logged.guid, [LogLine(0, "RTR", "0", "OUT", "y" * 9000)] * 1100)
    answer = browser(bob).get(f"/apps/{logged.guid}/logs/text")
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 1105
    assert lines[0].endswith("[APP/PROC/WEB/0] OUT hello from web")
    assert lines[-1].endswith("y" * 9000)
    assert 'attachment; filename="site-log.txt"' in answer["Content-Disposition"]


def test_a_stranger_and_who_is_signed_out_read_nothing(browser: Any, charlie: Any, logged: App) -> None:
    for part in ("logs", "logs/lines", "logs/text"):
        assert browser(charlie).get(f"/apps/{logged.guid}/{part}").status_code == 404
    assert browser().get(f"/apps/{logged.guid}/logs/lines").status_code == 401
    assert browser().get(f"/apps/{logged.guid}/logs").status_code == 302


def test_lines_of_another_day_carry_its_date() -> None:
    now = datetime.now(UTC)
    assert clock(now) == f"{now:%H:%M:%S}.{now.microsecond // 1000:03d}"
    assert clock(datetime(2020, 3, 7, 4, 5, 6, 7000, UTC)) == "7 Mar 04:05:06.007"


def test_an_empty_log_says_what_will_come(browser: Any, alice: Any, app: App, runtime: Any) -> None:
    assert "No line yet" in page(browser(alice), app)
    assert "No line fits" in page(browser(alice), app, "?text=x")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m off", '<span class="ansi-31">red</span> off'),
        ("\x1b[1mbold \x1b[22mnot", '<span class="ansi-b">bold </span>not'),
        (
            "\x1b[31mred\x1b[34mblue\x1b[39m none",
            '<span class="ansi-31">red</span><span class="ansi-34">blue</span> none',
        ),
        ("\x1b[38;5;196mdeep\x1b[m", "deep"),
        ("\x1b[38;2;1;31;2mtrue\x1b[m", "true"),
        ("\x1b[2K\x1b[1Gcleared", "cleared"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\x1bc\u202e", "a\ufffdb\ufffdc\ufffd"),
        ("50%\r100%", "50%100%"),
        ("x" * (LONGEST + 5), "x" * LONGEST + "… (5 characters more)"),
    ],
)
def test_terminal_colours(text: str, html: str) -> None:
    assert coloured(text) == html
