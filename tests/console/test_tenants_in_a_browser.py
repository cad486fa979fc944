"""The pages about organizations, spaces and members, and the documentation, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from accounts import audit
from tenants import access, manual
from tests.conftest import make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WIDTHS = (1200, 360)


@pytest.fixture
def busy(space: Any, dora: Any, alice: Any, bob: Any, root: Any) -> Any:
    """A space in which something has happened, in an organization with a few more people."""
    for number in range(30):
        access.give(
            make_user(f"someone-with-a-rather-long-name-{number}"), "organization_user", space.organization, by=root
        )
    audit.record(dora, "audit.space.update", space, before={"name": "prod"}, after={"name": "production"})
    return space


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_organizations_and_spaces(
    visit: Any, faults: Any, busy: Any, dora: Any, root: Any, width: int
) -> None:
    organization = busy.organization
    tabs = ("", "/members", "/events", "/settings", "/spaces/new", "/members/add", f"/members/{dora.guid}/remove")
    urls = [f"/orgs/{organization.guid}{tab}" for tab in tabs]
    urls += [f"/spaces/{busy.guid}{tab}" for tab in ("/members", "/members/add", "/events", "/settings", "/delete")]
    for url, user in [
        *((url, dora) for url in ("/", *urls)),
        *((url, root) for url in ("/orgs/new", urls[3], f"/people/{dora.guid}/events", "/platform/events")),
    ]:
        page = visit(url, user, width=width)
        assert faults(page) == [], url


@pytest.mark.parametrize("width", WIDTHS)
def test_the_documentation(visit: Any, faults: Any, system: Any, width: int) -> None:
    for slug in ("", *(f"/{slug}" for slug in manual.TITLES)):
        page = visit(f"/docs{slug}", width=width)
        assert faults(page) == [], slug


def test_errors_are_reached_by_keyboard(visit: Any, faults: Any, space: Any, dora: Any) -> None:
    page = visit(f"/spaces/{space.guid}/members/add", dora)
    page.get_by_role("button", name="Add to the space").click()
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert faults(page) == []
    page.get_by_role("link", name="Enter the username").click()
    assert page.locator(":focus").get_attribute("name") == "person"


@pytest.mark.parametrize("script", [True, False])
def test_roles_are_saved_with_and_without_script(visit: Any, space: Any, dora: Any, alice: Any, script: bool) -> None:
    page = visit(f"/spaces/{space.guid}/members", dora, script=script)
    page.get_by_label("Space manager: alice@example.com").check(force=True)
    page.get_by_role("button", name="Save roles").click()
    expect(page.locator("body")).to_contain_text("The roles are saved.")
    assert "space_manager" in access.roles_held(alice, space=space)
