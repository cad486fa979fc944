"""The tables of people and roles."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, User
from tenants import access
from tenants.models import OrganizationRole, SpaceRole
from tests.conftest import make_user
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


def held(user: User, place: Any) -> set[str]:
    return set(access.role_rows(place).filter(user=user).values_list("permission__codename", flat=True))


def test_a_member_sees_who_else_is_there_and_no_boxes(browser: Any, alice: Any, dora: Any, org: Any) -> None:
    page = browser(alice).get(f"/orgs/{org.guid}/members").content.decode()
    assert "Organization user, Organization manager" in page
    assert 'type="checkbox"' not in page
    assert "Save roles" not in page


def test_a_manager_sees_a_box_for_each_role(browser: Any, dora: Any, alice: Any, org: Any, space: Any) -> None:
    page = browser(dora).get(f"/orgs/{org.guid}/members").content.decode()
    assert f'name="held" value="{dora.guid} organization_manager" checked' in page
    assert f'name="was" value="{dora.guid} organization_manager"' in page
    assert f'name="held" value="{alice.guid} organization_manager">' in page
    assert f"/spaces/{space.guid}/members" in page


def test_one_form_saves_many_roles(browser: Any, dora: Any, alice: Any, bob: Any, space: Any) -> None:
    sent = {
        "was": [f"{alice.guid} space_developer", f"{bob.guid} space_auditor"],
        "held": [f"{alice.guid} space_manager", f"{bob.guid} space_auditor", f"{bob.guid} space_developer"],
    }
    answer = browser(dora).post(f"/spaces/{space.guid}/members", sent, follow=True)
    assert "The roles are saved." in answer.content.decode()
    assert held(alice, space) == {"space_manager"}
    assert held(bob, space) == {"space_auditor", "space_developer"}
    types = set(AuditEvent.objects.values_list("type", flat=True))
    assert types == {
        "audit.user.space_manager_add",
        "audit.user.space_developer_remove",
        "audit.user.space_developer_add",
    }
    browser(dora).post(f"/spaces/{space.guid}/members", sent)
    assert held(alice, space) == {"space_manager"}
    assert AuditEvent.objects.count() == 3


def test_what_somebody_else_changed_meanwhile_is_not_undone(
    browser: Any, dora: Any, root: Any, alice: Any, space: Any
) -> None:
    access.give(alice, "space_auditor", space, by=root)
    sent = {
        "was": [f"{alice.guid} space_developer"],
        "held": [f"{alice.guid} space_developer", f"{alice.guid} space_manager"],
    }
    browser(dora).post(f"/spaces/{space.guid}/members", sent)
    assert held(alice, space) == {"space_developer", "space_auditor", "space_manager"}


def test_a_refusal_saves_nothing_and_keeps_the_ticks(browser: Any, dora: Any, alice: Any, org: Any) -> None:
    sent = {
        "was": [
            f"{dora.guid} organization_user",
            f"{dora.guid} organization_manager",
            f"{alice.guid} organization_user",
        ],
        "held": [
            f"{dora.guid} organization_user",
            f"{alice.guid} organization_user",
            f"{alice.guid} organization_auditor",
        ],
    }
    page = browser(dora).post(f"/orgs/{org.guid}/members", sent).content.decode()
    assert "is the last organization manager of &#x27;ministry&#x27;" in page
    assert held(alice, org) == {"organization_user"}
    assert f'value="{alice.guid} organization_auditor" checked' in page
    assert f'value="{dora.guid} organization_manager">' in page


def test_a_manager_hands_over_in_one_save(browser: Any, dora: Any, alice: Any, org: Any) -> None:
    sent = {
        "was": [f"{dora.guid} organization_manager"],
        "held": [f"{alice.guid} organization_manager"],
    }
    browser(dora).post(f"/orgs/{org.guid}/members", sent)
    assert held(alice, org) == {"organization_user", "organization_manager"}
    assert held(dora, org) == {"organization_user"}


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
@pytest.mark.parametrize("place", ["orgs", "spaces"])
def test_others_save_nothing(
    request: Any, browser: Any, org: Any, space: Any, alice: Any, place: str, who: str, status: int
) -> None:
    guid = org.guid if place == "orgs" else space.guid
    role = "organization_manager" if place == "orgs" else "space_manager"
    client = browser(request.getfixturevalue(who))
    assert client.post(f"/{place}/{guid}/members", {"held": [f"{alice.guid} {role}"]}).status_code == status
    assert client.post(f"/{place}/{guid}/members/add", {"person": "bob", "roles": [role]}).status_code == status
    assert client.get(f"/{place}/{guid}/members/add").status_code == status
    assert role not in held(alice, org if place == "orgs" else space)


def test_only_people_of_the_place_are_in_the_form(browser: Any, dora: Any, charlie: Any, org: Any) -> None:
    answer = browser(dora).post(f"/orgs/{org.guid}/members", {"held": [f"{charlie.guid} organization_user"]})
    assert answer.status_code == 404
    assert held(charlie, org) == set()


def test_a_manager_adds_somebody(browser: Any, dora: Any, charlie: Any, org: Any) -> None:
    sent = {"person": "CHARLIE@example.com", "roles": ["organization_auditor"]}
    page = browser(dora).post(f"/orgs/{org.guid}/members/add", sent, follow=True).content.decode()
    assert "charlie@example.com is in ministry now." in page
    assert held(charlie, org) == {"organization_user", "organization_auditor"}


def test_a_manager_adds_somebody_to_a_space(browser: Any, dora: Any, bob: Any, space: Any) -> None:
    SpaceRole.objects.all().delete()
    browser(dora).post(f"/spaces/{space.guid}/members/add", {"person": "bob@example.com", "roles": ["space_manager"]})
    assert held(bob, space) == {"space_manager"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"person": "nobody", "roles": ["space_developer"]}, "Nobody here is called “nobody”"),
        ({"person": "", "roles": ["space_developer"]}, "Enter the username or e-mail address of the person."),
        ({"person": "bob@example.com"}, "Choose at least one role."),
        ({"person": "charlie@example.com", "roles": ["space_developer"]}, "Users cannot be assigned roles in a space"),
    ],
)
def test_what_is_wrong_is_told_in_the_form(
    browser: Any, dora: Any, bob: Any, charlie: Any, space: Any, sent: dict[str, Any], told: str
) -> None:
    page = browser(dora).post(f"/spaces/{space.guid}/members/add", sent).content.decode()
    assert told in page
    assert "There is a problem" in page
    assert "<title>Error: " in page


def test_removing_lists_what_goes_and_takes_it_all(browser: Any, dora: Any, alice: Any, org: Any, space: Any) -> None:
    url = f"/orgs/{org.guid}/members/{alice.guid}/remove"
    page = browser(dora).get(url).content.decode()
    assert "Organization user" in page
    assert "Space production" in page
    assert "Developer" in page.title()
    answer = browser(dora).post(url)
    assert answer["Location"] == f"/orgs/{org.guid}/departures"
    assert not OrganizationRole.objects.filter(user=alice).exists()
    assert not SpaceRole.objects.filter(user=alice).exists()
    types = list(AuditEvent.objects.order_by("id").values_list("type", flat=True))
    assert types == [
        "audit.user.space_developer_remove",
        "audit.user.organization_user_remove",
        "audit.organization.member-remove",
    ]
    assert browser(dora).post(url).status_code == 404


def test_the_last_manager_is_not_removed(browser: Any, dora: Any, org: Any) -> None:
    page = browser(dora).post(f"/orgs/{org.guid}/members/{dora.guid}/remove").content.decode()
    assert "Nobody was removed" in page
    assert held(dora, org) == {"organization_user", "organization_manager"}


def test_who_removes_themselves_lands_at_home(browser: Any, dora: Any, alice: Any, root: Any, org: Any) -> None:
    access.give(alice, "organization_manager", org, by=root)
    assert browser(dora).post(f"/orgs/{org.guid}/members/{dora.guid}/remove")["Location"] == "/"


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
def test_others_remove_nobody(request: Any, browser: Any, org: Any, dora: Any, who: str, status: int) -> None:
    client = browser(request.getfixturevalue(who))
    for method in (client.get, client.post):
        assert method(f"/orgs/{org.guid}/members/{dora.guid}/remove").status_code == status


@pytest.mark.parametrize("place", ["orgs", "spaces"])
def test_many_people_cost_as_many_queries_as_few(
    browser: Any, dora: Any, root: Any, org: Any, space: Any, place: str
) -> None:
    client, url = browser(dora), f"/{place}/{org.guid if place == 'orgs' else space.guid}/members"
    _join(10, org, space, root)
    few = queries(client, url)
    _join(200, org, space, root)
    assert queries(client, url) == few
    page = client.get(url).content.decode()
    assert "Page 1 of 9" in page
    assert len(page) < 150_000


def test_people_are_found_by_name(browser: Any, dora: Any, root: Any, org: Any, space: Any) -> None:
    _join(60, org, space, root)
    page = browser(dora).get(f"/orgs/{org.guid}/members?q=PERSON-60-7@").content.decode()
    assert "person-60-7@example.com" in page
    assert "person-60-8@example.com" not in page


def _join(count: int, org: Any, space: Any, root: User) -> None:
    for number in range(count):
        user = make_user(f"person-{count}-{number}")
        access.give(user, "organization_user", org, by=root)
        access.give(user, "space_developer", space, by=root)
