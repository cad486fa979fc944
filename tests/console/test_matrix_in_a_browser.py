"""The matrix of roles, leaving and viewing as somebody, in a real browser: by keyboard, without JavaScript, on a phone."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import RobotKey, User
from tenants import access
from tenants.actions import custom_role, departure, robot, robot_key
from tenants.models import Invitation, SpaceRole

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("PAAS_SCREENSHOTS")  # a folder, for whoever wants to look


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.fixture
def team(org: Any, space: Any, make_space: Any, alice: User, bob: User, dora: User, root: User) -> None:
    for name in ("staging", "research", "payments"):
        make_space(org, name)
    for number in range(8):
        user = User.objects.person(
            f"colleague{number}@example.com", None, given_name="Robin", family_name=f"No {number}"
        )
        access.give(user, "organization_user", org, by=root)
    custom_role.create(dora, org, name="Releasers", where="space", verbs=["app.push", "app.deploy"])


@pytest.mark.parametrize("width", [1200, 375])
def test_the_pages_are_sound(
    visit: Any, faults: Any, team: None, org: Any, alice: User, bob: User, dora: User, width: int
) -> None:
    made = robot.create(dora, org, name="ci", caretaker=alice)
    key, _ = robot_key.create(dora, made, name="pipeline")
    RobotKey.objects.filter(pk=key.pk).update(seen_by=alice)
    gone = User.objects.get(username="colleague7@example.com")
    departure.leave(dora, gone, organization=org)
    one = f"/orgs/{org.guid}/people/{alice.guid}"
    pages = {
        "matrix": f"/orgs/{org.guid}/access",
        "person": one,
        "why": f"{one}?permission=app.push&where={org.spaces.get(name='production').guid}#why",
        "why-not": f"{one}?permission=app.ssh",
        "remove": f"/orgs/{org.guid}/members/{alice.guid}/remove",
        "departures": f"/orgs/{org.guid}/departures",
        "members": f"/orgs/{org.guid}/members",
    }
    for name, url in pages.items():
        page = visit(url, dora, width=width)
        shoot(page, f"{name}-{width}")
        assert faults(page) == [], url
    assert faults(visit(pages["matrix"], bob, width=width)) == []


@pytest.mark.parametrize("script", [True, False])
def test_roles_are_given_by_keyboard_alone(
    visit: Any, faults: Any, team: None, org: Any, space: Any, bob: User, dora: User, script: bool
) -> None:
    page = visit(f"/orgs/{org.guid}/access", dora, script=script)
    box = page.get_by_label(f"Developer: {bob.username} in production")
    for _ in range(400):
        page.keyboard.press("Tab")
        if box.evaluate("box => box === document.activeElement"):
            break
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # sends the form
    page.wait_for_url("**/access/review")
    shoot(page, f"review-{script}")
    expect(page.locator("body")).to_contain_text("Save these changes?")
    expect(page.locator("body")).to_contain_text("in production")
    if script:
        assert faults(page) == []
    page.get_by_role("button", name="Save the changes").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orgs/{org.guid}/access*")
    assert SpaceRole.objects.filter(user=bob, content_object=space, permission__codename="space_developer").exists()


def test_on_a_phone_it_is_one_person_at_a_time(
    visit: Any, faults: Any, team: None, org: Any, bob: User, dora: User
) -> None:
    page = visit(f"/orgs/{org.guid}/access", dora, width=375)
    expect(page.get_by_role("checkbox").first).not_to_be_visible()
    page.get_by_role("link", name=bob.username).first.click()
    page.get_by_label(f"Supporter: {bob.username} in staging").check(force=True)
    page.get_by_role("button", name="Review the changes").click()
    expect(page.get_by_role("button", name="Save the changes")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Save the changes").click()
    page.wait_for_url("**/people/**")
    assert SpaceRole.objects.filter(user=bob, permission__codename="space_supporter").exists()


def test_a_manager_looks_as_somebody_else_and_stops(
    visit: Any, faults: Any, team: None, org: Any, alice: User, dora: User
) -> None:
    page = visit(f"/orgs/{org.guid}/people/{alice.guid}", dora)
    page.get_by_role("button", name="View as").click()
    page.wait_for_url(f"**/orgs/{org.guid}")
    shoot(page, "viewing")
    assert faults(page) == []
    page.goto(page.url + "/../../account")
    shoot(page, "viewing-refused")
    page.get_by_role("button", name="Stop viewing").click()
    page.wait_for_url("**/people/**")
    expect(page.locator("body")).to_contain_text("as yourself again")


def test_a_leaver_goes_and_comes_back(
    visit: Any, faults: Any, team: None, org: Any, alice: User, bob: User, dora: User
) -> None:
    made = robot.create(dora, org, name="ci", caretaker=alice)
    key, _ = robot_key.create(dora, made, name="pipeline")
    RobotKey.objects.filter(pk=key.pk).update(seen_by=alice)
    page = visit(f"/orgs/{org.guid}/members/{alice.guid}/remove", dora)
    page.get_by_label("Who takes over?").select_option(bob.guid)
    page.get_by_role("button", name="Remove from the organization").click()
    expect(page.locator("body")).to_contain_text("shown this once")
    shoot(page, "removed")
    assert faults(page) == []
    page.get_by_role("link", name="I have put the keys").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/departures")
    expect(page.locator("body")).to_contain_text("is in ministry again")
    assert alice.space_roles.exists() and not Invitation.objects.exists()
    made.refresh_from_db()
    assert made.caretaker == bob
