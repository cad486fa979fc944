"""The front door in a browser, with a real PostgreSQL behind it: marketplace, form, live steps, a bound app, credentials."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform.client import Client


@pytest.mark.timeout(300)
def test_a_database_is_made_in_the_console(chromium: Any, alice: Client, space: Any, name: str) -> None:
    alice.call("POST", "/v3/apps", {"name": name, "relationships": {"space": {"data": {"guid": space["guid"]}}}})
    page = chromium.new_context(viewport={"width": 1200, "height": 900}).new_page()
    page.goto(f"http://localhost:{alice.port}/spaces/{space['guid']}/services")
    page.get_by_label("Username or e-mail address").fill(alice.username)
    page.get_by_label("Password").fill(alice.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Go to the marketplace").click()
    page.get_by_role("link", name="PostgreSQL", exact=True).click()
    page.get_by_role("button", name="Choose tiny-15").click()
    page.get_by_label("Name", exact=True).fill("records")
    page.get_by_label("App to bind").select_option(label=name)
    page.get_by_text("to choose from").click()
    page.get_by_label("pg_trgm", exact=True).check()
    page.get_by_role("button", name="Create").click()
    page.get_by_text("Ready", exact=True).first.wait_for(timeout=60_000)
    page.get_by_text("Bound", exact=True).nth(1).wait_for(timeout=30_000)
    page.get_by_role("link", name="Connect").click()
    page.get_by_role("button", name=f"Show the credentials of {name}").click()
    page.get_by_text("sslmode=verify-full").first.wait_for()
    page.get_by_role("link", name="Metrics").click()
    page.get_by_text("Connections").wait_for()
    page.context.close()
