"""The pages about roles, their ends and requests for them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tenants import access
from tenants.actions import custom_role, role_request
from tenants.actions import role as roles
from tenants.models import CustomRole, OrganizationRole, RoleRequest, SpaceRole
from tests.conftest import make_user
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def restarter(dora: User, org: Any) -> CustomRole:
    return custom_role.create(dora, org, name="restarter", where="space", verbs=["app.run"], description="On call")


def test_members_read_what_roles_there_are(
    browser: Any, dora: Any, alice: Any, bob: Any, org: Any, space: Any, restarter: Any
) -> None:
    for person in (alice, bob):
        roles.give(dora, person, role=restarter.guid, place=space)
    page = browser(alice).get(f"/orgs/{org.guid}/roles").content.decode()
    assert "restarter" in page and "On call" in page and "2 people" in page
    assert "Space supporter" in page and "Push source and build it" in page
    assert "Make a role" not in page
    one = browser(alice).get(f"/roles/{restarter.guid}").content.decode()
    assert "Start, stop and restart apps" in one and "bob@example.com" in one
    assert "Delete" not in one


def test_who_sees_no_space_does_not_read_who_holds_a_role_there(
    browser: Any, dora: Any, bob: Any, root: Any, org: Any, space: Any, restarter: Any
) -> None:
    roles.give(dora, bob, role=restarter.guid, place=space)
    eve = make_user("eve")
    access.give(eve, "organization_user", org, by=root)
    page = browser(eve).get(f"/roles/{restarter.guid}").content.decode()
    assert "bob@example.com" not in page and "production" not in page


def test_a_manager_makes_a_copy_without_what_is_too_much(browser: Any, dora: Any, org: Any) -> None:
    client, url = browser(dora), f"/orgs/{org.guid}/roles/new"
    assert "What should the new role start from?" in client.get(url).content.decode()
    page = client.get(f"{url}?start=space_supporter").content.decode()
    assert 'value="app.scale"' in page and re.search(r'value="app\.scale"[^>]* checked', page)
    assert not re.search(r'value="app\.push"[^>]* checked', page)
    assert 'value="quota.manage"' not in page
    sent = {"name": "scaler", "permissions": ["app.scale", "app.view"]}
    answer = client.post(f"{url}?start=space_supporter", sent, follow=True)
    assert "The role scaler is there." in answer.content.decode()
    made = CustomRole.objects.get(name="scaler")
    assert (made.where, set(made.verbs)) == ("space", {"organization.view", "space.view", "app.view", "app.scale"})
    again = client.post(f"{url}?start=space", sent).content.decode()
    assert "has a role called &#x27;scaler&#x27; already" in again
    assert "Choose at least one permission." in client.post(f"{url}?start=space", {"name": "x"}).content.decode()


def test_a_change_is_confirmed_by_who_read_what_it_means(
    browser: Any, dora: Any, bob: Any, space: Any, restarter: Any
) -> None:
    roles.give(dora, bob, role=restarter.guid, place=space)
    client, url = browser(dora), f"/roles/{restarter.guid}/change"
    sent = {"name": "scaler", "permissions": ["app.scale"]}
    page = client.post(url, sent).content.decode()
    assert "Whom it affects" in page and "bob@example.com" in page
    assert "Change instances, memory and disk" in page and "Start, stop and restart apps" in page
    restarter.refresh_from_db()
    assert restarter.name == "restarter"
    mark = page.split('name="preview" value="')[1].split('"')[0]
    roles.give(dora, dora, role=restarter.guid, place=space)
    stale = client.post(url, {**sent, "preview": mark}).content.decode()
    assert "has changed since you looked" in stale and "dora@example.com" in stale
    mark = stale.split('name="preview" value="')[1].split('"')[0]
    assert client.post(url, {**sent, "preview": mark}, follow=True).redirect_chain == [
        (f"/roles/{restarter.guid}", 302)
    ]
    assert access.verbs_held(bob, space) >= {"app.scale"} and "app.run" not in access.verbs_held(bob, space)


def test_a_change_without_consequences_is_saved_at_once(browser: Any, dora: Any, restarter: Any) -> None:
    answer = browser(dora).post(f"/roles/{restarter.guid}/change", {"name": "again", "permissions": ["app.run"]})
    assert answer.status_code == 302
    restarter.refresh_from_db()
    assert restarter.name == "again"


def test_deleting_names_who_loses_it(browser: Any, dora: Any, bob: Any, space: Any, restarter: Any) -> None:
    roles.give(dora, bob, role=restarter.guid, place=space)
    client, url = browser(dora), f"/roles/{restarter.guid}/delete"
    page = client.get(url).content.decode()
    assert "bob@example.com" in page and "take it from them" in page
    assert "has changed since you looked" in client.post(url).content.decode()
    mark = page.split('name="preview" value="')[1].split('"')[0]
    assert client.post(url, {"preview": mark}).status_code == 302
    assert not CustomRole.objects.exists() and "app.run" not in access.verbs_held(bob, space)


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
def test_others_make_and_change_no_role(
    request: Any, browser: Any, org: Any, restarter: Any, who: str, status: int
) -> None:
    client = browser(request.getfixturevalue(who))
    for url in (f"/orgs/{org.guid}/roles/new", f"/roles/{restarter.guid}/change", f"/roles/{restarter.guid}/delete"):
        assert client.get(url).status_code == status
        assert client.post(url, {"name": "x", "permissions": ["log.read"]}).status_code == status


def test_somebody_is_added_with_a_custom_role_until_a_day(
    browser: Any, dora: Any, alice: Any, space: Any, restarter: Any
) -> None:
    day = (timezone.now() + timedelta(days=3)).date()
    url, sent = f"/spaces/{space.guid}/members/add", {"person": "alice@example.com", "roles": [restarter.guid]}
    assert "restarter" in browser(dora).get(url).content.decode()
    past = browser(dora).post(url, {**sent, "until": "2020-01-01"}).content.decode()
    assert "The last day must not be over yet." in past
    assert browser(dora).post(url, {**sent, "until": str(day), "reason": "the launch"}).status_code == 302
    row = SpaceRole.objects.get(user=alice, permission=restarter.permission)
    assert (row.expires_at.date(), row.expires_at.hour, row.reason) == (day, 23, "the launch")


def test_the_end_of_a_role_has_a_page(
    browser: Any, dora: Any, alice: Any, bob: Any, charlie: Any, org: Any, space: Any
) -> None:
    row = SpaceRole.objects.get(user=alice)
    url, day = f"/grants/{row.guid}", (timezone.now() + timedelta(days=3)).date()
    answer = browser(dora).post(url, {"until": str(day), "reason": "the launch"}, follow=True)
    page = answer.content.decode()
    assert "is changed" in page and f'value="{day}"' in page
    row.refresh_from_db()
    assert (row.expires_at.date(), row.reason) == (day, "the launch")
    assert "the launch" in browser(dora).get(f"/orgs/{org.guid}/ends").content.decode()
    home = browser(alice).get("/").content.decode()
    assert "Roles of yours that end soon" in home and "?role=space_developer&amp;space=production" in home
    assert browser(dora).post(url, {"until": "", "reason": ""}).status_code == 302
    row.refresh_from_db()
    assert row.expires_at is None
    assert browser(bob).get(url).status_code == 403
    assert browser(charlie).get(url).status_code == 404
    last = OrganizationRole.objects.get(user=dora, permission__codename="organization_manager")
    told = browser(dora).post(f"/grants/{last.guid}", {"until": str(day)}).content.decode()
    assert "is the last organization manager" in told


def test_a_member_asks_and_a_manager_accepts_with_one_click(
    browser: Any, dora: Any, root: Any, org: Any, space: Any
) -> None:
    eve = make_user("eve")
    access.give(eve, "organization_user", org, by=root)
    url, sent = f"/orgs/{org.guid}/requests/ask", {"role": "space_developer", "reason": "the launch"}
    assert "production" not in browser(eve).get(url).content.decode()
    assert "Enter the name of the space." in browser(eve).post(url, sent).content.decode()
    assert "There is no space &#x27;x&#x27;" in browser(eve).post(url, {**sent, "space": "x"}).content.decode()
    page = browser(eve).post(url, {**sent, "space": "Production"}, follow=True).content.decode()
    assert "Waiting for an answer" in page and "Accept" not in page
    made = RoleRequest.objects.get()
    assert "1 request for a role waits for an answer" in browser(dora).get(f"/orgs/{org.guid}/members").content.decode()
    assert "Members (1 request)" in browser(dora).get(f"/orgs/{org.guid}").content.decode()
    assert "the launch" in browser(dora).get(f"/orgs/{org.guid}/requests").content.decode()
    page = browser(dora).post(f"/requests/{made.guid}/accept", {"answer": "Hello"}, follow=True).content.decode()
    assert "holds the role Space developer now." in page and "Members (" not in page
    assert "app.push" in access.verbs_held(eve, space)
    assert (
        "holds the role Space developer already"
        in browser(dora).post(f"/requests/{made.guid}/accept", follow=True).content.decode()
    )
    assert "Hello" in browser(eve).get(f"/orgs/{org.guid}/requests").content.decode()


def test_a_request_is_refused_or_withdrawn(
    browser: Any, dora: Any, alice: Any, bob: Any, charlie: Any, org: Any
) -> None:
    made = [
        role_request.ask(alice, org, role=role) for role in ("organization_auditor", "organization_billing_manager")
    ]
    for person in (bob, charlie):
        assert browser(person).post(f"/requests/{made[0].guid}/accept").status_code == 404
    assert browser(alice).post(f"/requests/{made[0].guid}/accept").status_code == 403
    page = browser(dora).post(f"/requests/{made[0].guid}/refuse", {"answer": "No"}, follow=True).content.decode()
    assert "You refused alice@example.com the role Organization auditor." in page
    page = browser(alice).post(f"/requests/{made[1].guid}/withdraw", follow=True).content.decode()
    assert "is withdrawn" in page and "Refused" in page
    late = browser(dora).post(f"/requests/{made[1].guid}/accept", follow=True).content.decode()
    assert "The request was withdrawn" in late


def test_a_space_manager_decides_about_the_space_only(
    browser: Any, alice: Any, bob: Any, dora: Any, org: Any, space: Any
) -> None:
    roles.give(dora, bob, role="space_manager", place=space)
    here, there = (
        role_request.ask(alice, place, role=role)
        for place, role in ((space, "space_manager"), (org, "organization_auditor"))
    )
    page = browser(bob).get(f"/orgs/{org.guid}/requests").content.decode()
    assert f"/requests/{here.guid}/accept" in page and there.guid not in page
    assert "Members (1 request)" in browser(bob).get(f"/spaces/{space.guid}/members").content.decode()
    assert "Members (" not in browser(bob).get(f"/orgs/{org.guid}").content.decode()


def test_the_pages_cost_the_same_for_many(
    browser: Any, dora: Any, root: Any, org: Any, space: Any, restarter: Any
) -> None:
    client = browser(dora)
    urls = [f"/orgs/{org.guid}/{page}" for page in ("roles", "requests", "ends")] + [f"/roles/{restarter.guid}"]

    def grow(start: int, stop: int) -> None:
        for number in range(start, stop):
            person = make_user(f"p{number}")
            for role, place in (("organization_user", org), (restarter.guid, space)):
                access.give(person, role, place, by=root)
            access.give(person, "space_auditor", space, by=root, expires_at=timezone.now() + timedelta(days=number + 1))
            role_request.ask(person, org, role="organization_auditor")
            custom_role.create(dora, org, name=f"role {number}", where="organization", verbs=["log.read"])

    grow(0, 2)
    few = [queries(client, url) for url in urls]
    grow(2, 12)
    assert [queries(client, url) for url in urls] == few


@pytest.mark.parametrize("guid", ["nothing", "%00"])
def test_what_is_not_there_is_not_found(browser: Any, dora: Any, guid: str) -> None:
    for url in (f"/roles/{guid}", f"/grants/{guid}", f"/orgs/{guid}/requests"):
        assert browser(dora).get(url).status_code == 404
