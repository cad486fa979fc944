"""A browser's client, signed in as any of the cast; and a real browser, for what only one can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from paas.host.assets import NODE

HTML = "text/html,application/xhtml+xml"
HERE = Path(__file__).parent
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def browser(db: None) -> Callable[..., Client]:
    """Return a client that asks for pages as the user, or as nobody."""

    def client(user: User | None = None) -> Client:
        made = Client(HTTP_ACCEPT=HTML)
        if user is not None:
            made.force_login(user)
        return made

    return client


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Open a page as the user, as wide as a desk's screen or a phone; it may ask no other host for anything."""
    contexts = []

    def opened(url: str, user: User | None = None, *, width: int = 1200, script: bool = True) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        page = context.new_page()
        page.elsewhere = []
        page.on(
            "request",
            lambda asked: asked.url.startswith((live_server.url, "data:")) or page.elsewhere.append(asked.url),
        )
        page.complaints = []
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(live_server.url + url)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def faults() -> Callable[[Any], list[str]]:
    """Return what axe finds wrong with a page, what does not fit its width, and what it should not have done."""
    axe = (NODE / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def found(page: Any) -> list[str]:
        page.evaluate(axe)
        told = page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
        wrong = [f"{each['id']}: {node['html'][:200]}" for each in told["violations"] for node in each["nodes"]]
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        wrong += [f"{width[0]} px do not fit into {width[1]}"] if width[0] > width[1] else []
        return wrong + page.complaints + page.elsewhere

    return found
