"""The pages about robots, their keys and API tokens, in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import RobotKey
from tenants import access
from tenants.actions import robot as robots
from tenants.actions import robot_key as keys
from tenants.actions import token as tokens
from tenants.models import Robot

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def robot(dora: Any, root: Any, space: Any) -> Robot:
    """A robot that pushes in the space, with a key that is used and ends soon, and one that is new."""
    made = robots.create(
        dora,
        space.organization,
        name="Deploy from CI",
        description="Pushes the site.",
        address_ranges=["203.0.113.0/24"],
    )
    access.give(made.user, "space_developer", space, by=root)
    key, _ = keys.create(dora, made, name="GitHub")
    now = timezone.now()
    RobotKey.objects.filter(pk=key.pk).update(
        last_used_at=now, last_used_address="203.0.113.7", expires_at=now + timedelta(days=3)
    )
    keys.create(dora, made, name="nightly backup of everything that there is")
    return made


@pytest.mark.parametrize("width", [1200, 360])
def test_the_pages_of_robots_and_tokens(visit: Any, faults: Any, robot: Any, dora: Any, bob: Any, width: int) -> None:
    organization, key = robot.organization, RobotKey.objects.get(name="GitHub")
    tokens.create(dora, name="ci", permissions=["organization.view", "space.create"])
    one = f"/robots/{robot.guid}"
    urls = [f"/orgs/{organization.guid}/robots", f"/orgs/{organization.guid}/robots/new", one]
    urls += [f"{one}/{name}" for name in ("settings", "delete", "keys/new")]
    urls += [f"{one}/keys/{key.guid}/{name}" for name in ("rotate", "revoke")]
    urls += ["/account/tokens", "/account/tokens/new"]
    for url, user in [*((url, dora) for url in urls), (urls[0], bob), (urls[2], bob)]:
        page = visit(url, user, width=width)
        assert faults(page) == [], url


@pytest.mark.parametrize("script", [True, False])
def test_a_robot_is_made_with_its_first_key(visit: Any, faults: Any, dora: Any, space: Any, script: bool) -> None:
    page = visit(f"/orgs/{space.organization.guid}/robots", dora, script=script)
    page.get_by_role("button", name="Make a robot").click()
    page.get_by_label("Name").fill("Deploy from CI")
    page.get_by_label("production").check(force=True)
    page.get_by_role("button", name="Make the robot").click()
    page.get_by_role("button", name="Make a key").click()
    robot = Robot.objects.get()
    assert "space_developer" in access.roles_held(robot.user, space=space)
    page.get_by_label("Name").fill("GitHub")
    page.get_by_role("button", name="Make the key").click()
    text = page.locator("#key").inner_text()
    expect(page.locator("body")).to_contain_text(f"cf auth {robot.guid} {text} --client-credentials")
    expect(page.get_by_role("button", name="Copy: the key")).to_have_count(1 if script else 0)
    if script:
        assert faults(page) == []
    page.get_by_role("link", name="Go back to the robot").click()
    expect(page.locator("body")).to_contain_text("GitHub")
    assert text not in page.content()


def test_a_token_is_made_of_chosen_permissions(visit: Any, faults: Any, dora: Any) -> None:
    page = visit("/account/tokens/new", dora)
    page.get_by_role("textbox", name="Name").fill("ci")
    page.get_by_label("Only what I choose below").check(force=True)
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("link", name="Choose at least one permission").click()  # the complaint leads to the boxes
    assert faults(page) == []
    page.get_by_label("Create a space", exact=True).check(force=True)
    page.get_by_role("button", name="Make the token").click()
    assert page.locator("#token").inner_text().startswith("slw_") and faults(page) == []
    expect(page.locator("body")).to_contain_text("Create a space")
