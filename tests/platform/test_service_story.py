"""Nothing is lost, in a real browser on a whole platform: a table is dropped, and an app reads its rows again without a break."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from paas.host.assets import NODE
from tests.console.conftest import RULES
from tests.platform.client import Client, wait_until
from tests.platform.story_app import notes

pytestmark = pytest.mark.timeout(900)
AXE = NODE / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def page(chromium: Any, alice: Client) -> Iterator[Any]:
    """Alice's browser, signed in."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, base_url=f"http://localhost:{alice.port}")
    made = context.new_page()
    made.set_default_timeout(120_000)
    made.goto("/")
    made.get_by_label("Username or e-mail address").fill(alice.username)
    made.get_by_label("Password").fill(alice.password)
    made.get_by_role("button", name="Sign in", exact=True).click()
    made.get_by_role("button", name="Sign out").or_(made.get_by_role("link", name="Sign out")).first.wait_for()
    yield made
    context.close()


def is_sound(page: Any) -> None:
    """Assert that axe finds nothing wrong with the page as it is."""
    page.evaluate(AXE.read_text())
    told = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    assert told["violations"] == [], page.url


@contextmanager
def unbroken(ask: Callable[[], int]) -> Iterator[None]:
    """Ask again and again; every answer meanwhile must be a good one."""
    seen: list[int] = []
    over = threading.Event()

    def go() -> None:
        while not over.is_set():
            seen.append(ask())
            time.sleep(0.05)

    asking = threading.Thread(target=go)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert seen and set(seen) == {200}, seen


def press(page: Any, name: str | re.Pattern[str]) -> None:
    """Press a button, or a link that is drawn as one."""
    page.get_by_role("button", name=name).first.click()


def swap(page: Any, name: str, source: str, target: str, app: Client) -> None:
    """Swap on the form that is shown, and watch until the app uses the other one."""
    is_sound(page)
    with unbroken(lambda: app.fetch(name).status_code):
        press(page, "Swap")
        page.get_by_text(f"{name} uses {target}.").wait_for()
    assert f"{target} in the place of {source}" in page.locator("h1").inner_text()
    is_sound(page)


def test_a_dropped_table_is_read_again_without_a_break(page: Any, alice: Client, space: Any, name: str) -> None:
    def read() -> str:
        return alice.fetch(name, "/notes").text

    def write(text: str) -> bool:
        return alice.fetch(name, "/notes", method="POST", data=text).status_code == 200

    alice.push(space, name, notes())

    # A database, from the marketplace, bound to the app.
    page.goto(f"/spaces/{space['guid']}/services")
    press(page, "Go to the marketplace")
    page.get_by_role("link", name="PostgreSQL", exact=True).click()
    press(page, "Choose tiny-15")
    page.get_by_label("Name", exact=True).fill("records")
    page.get_by_label("App to bind").select_option(label=name)
    press(page, "Create")
    page.get_by_text("Ready", exact=True).first.wait_for()
    press(page, f"Restart {name}")
    wait_until(lambda: write("first"), "the app to have its database")

    # It is backed up; then the table is dropped.
    page.goto(f"/spaces/{space['guid']}/services")
    page.get_by_role("link", name="records", exact=True).click()
    page.get_by_role("link", name="Backups", exact=True).click()
    page.get_by_text("What there is").wait_for()
    press(page, "Back up now")
    page.get_by_text("Backing up").wait_for()
    page.get_by_text("Changes since the last full one").wait_for()
    is_sound(page)
    assert write("second")
    then = datetime.fromisoformat(alice.fetch(name, "/now").text) + timedelta(seconds=1)  # whole seconds can be chosen
    time.sleep(2)
    assert alice.fetch(name, "/drop", method="POST").status_code == 200
    assert "does not exist" in read()

    # It comes back as it was at that moment, beside the one that is there.
    page.get_by_role("button", name="Restore", exact=True).click()
    page.get_by_label("At a moment").check(force=True)
    page.get_by_label("Date, if you choose a moment").fill(f"{then:%Y-%m-%d}")
    page.get_by_label("Time in UTC, if you choose a moment").fill(f"{then:%H:%M:%S}")
    is_sound(page)
    press(page, "Restore into a new service")
    page.get_by_text("Ready", exact=True).first.wait_for()
    assert "records-restored" in page.locator("h1").inner_text()

    # The app takes to it, and back, and for good; it answers all the time.
    page.get_by_role("link", name=f"Use records-restored in {name}").click()
    swap(page, name, "records", "records-restored", alice)
    assert read().split() == ["first", "second"]
    press(page, "Swap back")
    swap(page, name, "records-restored", "records", alice)
    assert "does not exist" in read()
    press(page, "Swap back")
    swap(page, name, "records", "records-restored", alice)
    press(page, "Unbind records")
    press(page, f"Unbind {name}")
    page.get_by_text("No app uses it yet").wait_for()
    assert write("third") and read().split() == ["first", "second", "third"]

    # The old one goes, and could still be brought back.
    page.get_by_role("link", name="Settings", exact=True).click()
    press(page, "Delete records")
    page.get_by_label("Type “records” to confirm").fill("records")
    press(page, "Delete records")
    page.wait_for_url("**/services")
    page.get_by_role("link", name="deleted service").click()
    is_sound(page)
    page.get_by_role("link", name="Bring back records").click()
    page.get_by_role("button", name="Bring it back into a new service").wait_for()
    is_sound(page)
