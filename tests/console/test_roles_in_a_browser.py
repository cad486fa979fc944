"""The pages about roles, ends and requests in a real browser: axe, a phone's width, the keyboard, without scripts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tenants import access
from tenants.actions import custom_role, role_request
from tenants.actions import role as roles
from tenants.models import CustomRole, RoleRequest, SpaceRole
from tests.conftest import make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def busy(org: Any, space: Any, dora: Any, alice: Any, bob: Any, root: Any) -> CustomRole:
    """A role that people hold, some until a day, and a member who asks for another."""
    made = custom_role.create(
        dora, org, name="On call at night", where="space", verbs=["app.run", "log.read"], description="For the rota"
    )
    for person, days in ((alice, 3), (bob, 30)):
        ends = timezone.now() + timedelta(days=days)
        roles.give(dora, person, role=made.guid, place=space, expires_at=ends, reason="The rota of the winter")
    eve = make_user("eve")
    access.give(eve, "organization_user", org, by=root)
    role_request.ask(eve, space, role="space_developer", reason="The launch on Friday", expires_at=ends)
    role_request.refuse(dora, role_request.ask(eve, org, role="organization_auditor"), answer="Ask me later")
    return made


@pytest.mark.parametrize("width", [1200, 375])
def test_the_pages_of_roles_are_clean(
    visit: Any, faults: Any, busy: CustomRole, org: Any, dora: Any, alice: Any, width: int
) -> None:
    row = SpaceRole.objects.get(user=alice, permission=busy.permission)
    pages = [
        f"/orgs/{org.guid}/roles",
        f"/orgs/{org.guid}/roles/new",
        f"/orgs/{org.guid}/roles/new?start=space_supporter",
        f"/roles/{busy.guid}",
        f"/roles/{busy.guid}/delete",
        f"/grants/{row.guid}",
        f"/orgs/{org.guid}/ends",
        f"/orgs/{org.guid}/requests",
        f"/orgs/{org.guid}/requests/ask",
        f"/orgs/{org.guid}/members",
        f"/spaces/{row.content_object.guid}/members/add",
    ]
    for url in pages:
        page = visit(url, dora, width=width)
        assert faults(page) == [], url
    home = visit("/", alice, width=width)
    assert faults(home) == []


@pytest.mark.parametrize("script", [True, False])
def test_a_role_is_made_changed_and_asked_for(
    visit: Any, faults: Any, busy: CustomRole, org: Any, dora: Any, script: bool
) -> None:
    page = visit(f"/orgs/{org.guid}/roles", dora, script=script)
    page.get_by_role("button", name="Make a role").click()
    page.get_by_label("Nothing yet, for spaces").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("Reader of logs")
    if script:
        page.get_by_label("Find a permission").fill("LOGS")
        expect(page.get_by_text("1 permission with these words")).to_be_visible()
        expect(page.get_by_label("Delete apps")).not_to_be_visible()
        assert faults(page) == []
    page.get_by_label("Read the logs of apps").check()
    page.get_by_role("button", name="Make the role").click()
    expect(page.get_by_text("The role Reader of logs is there.")).to_be_visible()
    page.goto(page.url.split("/roles/")[0] + f"/roles/{busy.guid}/change")
    page.get_by_label("Change instances, memory and disk").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Whom it affects")).to_be_visible()
    if script:
        assert faults(page) == []
    page.get_by_role("button", name="Change the role").click()
    expect(page.get_by_text("is changed")).to_be_visible()
    page.goto(page.url.split("/roles/")[0] + f"/orgs/{org.guid}/requests")
    page.get_by_role("button", name="Accept what eve@example.com asks for").click()
    expect(page.get_by_text("holds the role Space developer now.")).to_be_visible()
    assert RoleRequest.objects.filter(state="accepted").count() == 1
    if script:
        assert faults(page) == []
