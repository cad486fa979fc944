"""One person's time with a team, in a real browser on a whole platform: invited, joins, pushes, is removed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.host.house import House
from tests.passkeys import hold_key
from tests.platform import apps
from tests.platform.client import Client, wait_until, zipped

VERBS = [
    "app.view",
    "app.create",
    "app.push",
    "app.stage",
    "app.deploy",
    "app.run",
    "app.scale",
    "route.manage",
    "log.read",
]


@pytest.fixture
def browse(chromium: Any, house: House) -> Iterator[Any]:
    """Open a browser of somebody's own at the platform."""
    contexts = []

    def opened(path: str) -> Any:
        contexts.append(chromium.new_context(base_url=f"http://localhost:{house.port}"))
        page = contexts[-1].new_page()
        page.set_default_timeout(90_000)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def signed_in(page: Any, client: Client) -> Any:
    page.get_by_label(re.compile("Username|E-mail")).first.fill(client.username)
    page.get_by_label("Password", exact=True).fill(client.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Sign out").or_(page.get_by_role("button", name="Sign out")).first.wait_for()
    return page


def manager(root: Client, org: str) -> Client:
    made = root.person("dora")
    guid = root.only(f"/v3/users?usernames={made.username}")["guid"]
    for role in ("organization_user", "organization_manager"):
        ends = {"user": {"data": {"guid": guid}}, "organization": {"data": {"guid": org}}}
        root.call("POST", "/v3/roles", {"type": role, "relationships": ends})
    return made


def test_invited_joins_with_a_passkey_pushes_until_friday_and_is_removed(
    root: Client, space: Any, browse: Any, name: str, tmp_path: Path
) -> None:
    org = space["relationships"]["organization"]["data"]["guid"]
    dora = manager(root, org)
    role = {
        "name": "Pushers",
        "where": "space",
        "permissions": VERBS,
        "relationships": {"organization": {"data": {"guid": org}}},
    }
    dora.call("POST", "/v3/custom_roles", role)
    friday = (timezone.now() + timedelta(days=3)).date()
    email = f"nora-{secrets.token_hex(3)}@example.org"

    boss = signed_in(browse(f"/orgs/{org}/invite"), dora)
    boss.goto(f"/orgs/{org}/invite")
    boss.get_by_label("E-mail addresses").fill(email)
    boss.get_by_label(f"Pushers: {space['name']}").check(force=True)
    boss.get_by_label("Last day").fill(friday.isoformat())
    boss.get_by_role("button", name="Invite", exact=True).click()
    [link] = re.findall(r"/join/[\w-]+", boss.locator("main").inner_text())

    nora = browse(link)
    hold_key(nora)
    nora.get_by_role("button", name="Join with a passkey instead").click()
    nora.get_by_text("Add the passkey that you will sign in with").wait_for()
    nora.get_by_label("Name", exact=False).first.fill("laptop")
    nora.get_by_role("button", name=re.compile("passkey", re.I)).first.click()
    nora.get_by_text("recovery codes").or_(nora.get_by_role("link", name="Sign out")).first.wait_for()

    nora.goto(f"/spaces/{space['guid']}/new")
    source = tmp_path / "source.zip"
    source.write_bytes(zipped(apps.server("hello from nora")))
    nora.get_by_label("Source").set_input_files(str(source))
    nora.get_by_label("Name").fill(name)
    nora.get_by_role("button", name="Create and build").click()
    nora.wait_for_url("**/builds/*")
    wait_until(lambda: root.fetch(name).text == "hello from nora", "nora's app", seconds=300)

    guid = root.only(f"/v3/users?usernames={email}")["guid"]
    boss.goto(f"/orgs/{org}/people/{guid}")
    assert f"{friday:%-d %b %Y}" in boss.locator("main").inner_text()
    boss.get_by_role("link", name="Remove from the organization").click()
    boss.get_by_role("button", name="Remove from the organization").click()
    boss.wait_for_url("**/departures")

    app = root.only(f"/v3/apps?names={name}")["guid"]
    for path in (f"/apps/{app}", f"/spaces/{space['guid']}", f"/orgs/{org}", "/"):
        nora.goto(path)
        assert name not in nora.content() and space["name"] not in nora.locator("main").inner_text(), path
    assert root.fetch(name).text == "hello from nora"  # what they pushed goes on
