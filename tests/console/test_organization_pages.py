"""The console's pages about organizations."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from accounts.models import AuditEvent
from tenants.models import FeatureFlag, Organization, OrganizationQuota, Space
from tests.console.counting import queries

pytestmark = pytest.mark.django_db

TABS = ("", "/members", "/events", "/settings")


def test_who_is_not_signed_in_is_sent_to_sign_in(browser: Any, org: Any) -> None:
    assert browser().get("/")["Location"] == settings.LOGIN_URL
    there = browser().get(f"/orgs/{org.guid}")
    assert there.status_code == 302
    assert there["Location"].startswith(settings.LOGIN_URL)


def test_home_lists_what_i_can_see(browser: Any, alice: Any, org: Any, other_space: Any) -> None:
    page = browser(alice).get("/").content.decode()
    assert f"/orgs/{org.guid}" in page
    assert other_space.organization.guid not in page


def test_home_shows_memory_to_managers_only(browser: Any, alice: Any, dora: Any, org: Any) -> None:
    assert "0 MB of 100 GB" in browser(dora).get("/").content.decode()
    assert "0 MB of 100 GB" not in browser(alice).get("/").content.decode()


def test_home_of_a_newcomer_says_the_next_step(browser: Any, charlie: Any) -> None:
    charlie.organization_roles.all().delete()
    charlie.space_roles.all().delete()
    page = browser(charlie).get("/").content.decode()
    assert "Ask a manager" in page
    assert charlie.username in page
    assert "Create an organization" not in page


def test_home_of_an_empty_platform_says_the_next_step(browser: Any, root: Any) -> None:
    page = browser(root).get("/").content.decode()
    assert "There is no organization yet" in page
    assert "/orgs/new" in page


def test_home_costs_the_same_for_many(browser: Any, root: Any, make_org: Any, make_space: Any) -> None:
    client = browser(root)
    make_space(make_org("first"), "one")
    few = queries(client, "/")
    for number in range(40):
        make_space(make_org(f"org {number}"), "one")
    assert queries(client, "/") == few


def test_home_can_be_filtered(browser: Any, root: Any, make_org: Any) -> None:
    found, other = make_org("Ministry of Silly Walks"), make_org("Treasury")
    page = browser(root).get("/?q=silly").content.decode()
    assert found.guid in page
    assert other.guid not in page


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("bob", 200), ("dora", 200), ("root", 200), ("charlie", 404)]
)
def test_the_pages_of_an_organization(
    request: Any, browser: Any, org: Any, space: Any, tab: str, who: str, status: int
) -> None:
    status = 403 if tab == "/events" and who in ("alice", "bob") else status
    assert browser(request.getfixturevalue(who)).get(f"/orgs/{org.guid}{tab}").status_code == status


@pytest.mark.parametrize("guid", ["nothing", "%00"])
def test_what_is_no_organization_is_not_found(browser: Any, alice: Any, guid: str) -> None:
    assert browser(alice).get(f"/orgs/{guid}").status_code == 404


def test_an_organization_shows_its_spaces_quota_and_managers(browser: Any, dora: Any, org: Any, space: Any) -> None:
    page = browser(dora).get(f"/orgs/{org.guid}").content.decode()
    assert f"/spaces/{space.guid}" in page
    assert "0 MB of 100 GB" in page
    assert "1 person" in page
    assert "Managed by dora@example.com" in page


def test_an_organization_costs_the_same_for_many_spaces(browser: Any, dora: Any, org: Any, make_space: Any) -> None:
    client = browser(dora)
    few = queries(client, f"/orgs/{org.guid}")
    for number in range(40):
        make_space(org, f"space {number}")
    assert queries(client, f"/orgs/{org.guid}") == few


def test_an_empty_organization_says_the_next_step(browser: Any, dora: Any, org: Any) -> None:
    Space.objects.all().delete()
    assert "create a space" in browser(dora).get(f"/orgs/{org.guid}").content.decode()


def test_an_admin_creates_an_organization(browser: Any, root: Any, quota: Any, region: Any) -> None:
    answer = browser(root).post("/orgs/new", {"name": "Treasury"}, follow=True)
    made = Organization.objects.get(name="Treasury")
    assert answer.redirect_chain == [(f"/orgs/{made.guid}", 302)]
    assert "Organization Treasury is there" in answer.content.decode()
    assert AuditEvent.objects.filter(type="audit.organization.create", target_guid=made.guid).exists()


def test_a_name_that_is_taken_is_told_in_the_form(browser: Any, root: Any, org: Any) -> None:
    page = browser(root).post("/orgs/new", {"name": "Ministry"}).content.decode()
    assert "Organization &#x27;Ministry&#x27; already exists." in page
    assert 'value="Ministry"' in page
    assert "<title>Error: " in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_others_create_no_organization_unless_the_flag_lets_them(browser: Any, alice: Any, method: str) -> None:
    assert getattr(browser(alice), method)("/orgs/new", {"name": "mine"}).status_code == 403
    FeatureFlag.objects.create(name="user_org_creation", enabled=True)
    assert getattr(browser(alice), method)("/orgs/new", {"name": "mine"}).status_code in (200, 302)


def test_a_manager_renames(browser: Any, dora: Any, org: Any) -> None:
    page = browser(dora).post(f"/orgs/{org.guid}/rename", {"name": "Department"}, follow=True).content.decode()
    assert "The organization is called Department now." in page
    org.refresh_from_db()
    assert org.name == "Department"


def test_an_empty_name_is_told_at_its_field(browser: Any, dora: Any, org: Any) -> None:
    page = browser(dora).post(f"/orgs/{org.guid}/rename", {"name": " "}).content.decode()
    assert '<a href="#id_name">Enter a name.</a>' in page
    assert 'id="id_name-error"' in page


@pytest.mark.parametrize(
    ("action", "sent"),
    [("rename", {"name": "x"}), ("quota", {}), ("suspend", {}), ("resume", {}), ("delete", {"name": "ministry"})],
)
@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
def test_others_change_nothing(
    request: Any, browser: Any, org: Any, quota: Any, action: str, sent: dict[str, str], who: str, status: int
) -> None:
    sent = {"quota": str(quota.pk)} if action == "quota" else sent
    person = request.getfixturevalue(who)
    answer = browser(person).post(f"/orgs/{org.guid}/{action}", sent, HTTP_REFERER="http://testserver/")
    refused = answer.status_code == status or (status == 403 and "messages" in answer.cookies)  # told where it leads
    assert refused
    org.refresh_from_db()
    assert (org.name, org.suspended, org.deleting_at) == ("ministry", False, None)


def test_an_admin_suspends_and_resumes(browser: Any, root: Any, dora: Any, org: Any) -> None:
    browser(root).post(f"/orgs/{org.guid}/suspend")
    assert "is suspended" in browser(dora).get(f"/orgs/{org.guid}").content.decode()
    page = browser(dora).post(f"/orgs/{org.guid}/rename", {"name": "x"})
    assert "The organization is suspended" in page.content.decode()
    browser(root).post(f"/orgs/{org.guid}/resume")
    assert "is suspended" not in browser(dora).get(f"/orgs/{org.guid}").content.decode()


def test_an_admin_sets_the_quota(browser: Any, root: Any, org: Any) -> None:
    larger = OrganizationQuota.objects.create(name="larger")
    page = browser(root).post(f"/orgs/{org.guid}/quota", {"quota": larger.pk}, follow=True).content.decode()
    assert "has the quota larger now" in page
    org.refresh_from_db()
    assert org.quota == larger


def test_deleting_asks_for_the_name_and_says_what_goes(browser: Any, root: Any, dora: Any, org: Any) -> None:
    client = browser(root)
    page = client.get(f"/orgs/{org.guid}/delete").content.decode()
    assert "1 space, with every app in it" in page
    assert "the roles of 1 person" in page
    assert (
        "Type the name exactly as it is" in client.post(f"/orgs/{org.guid}/delete", {"name": "wrong"}).content.decode()
    )
    answer = client.post(f"/orgs/{org.guid}/delete", {"name": "ministry"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert client.get(f"/orgs/{org.guid}").status_code == 404
    assert AuditEvent.objects.filter(type="audit.organization.delete-request").count() == 1


def test_each_page_has_one_heading_of_the_first_level(browser: Any, root: Any, org: Any, space: Any) -> None:
    client = browser(root)
    urls = ["/", "/orgs/new", *(f"/orgs/{org.guid}{tab}" for tab in (*TABS, "/delete", "/spaces/new", "/members/add"))]
    urls += [f"/spaces/{space.guid}{tab}" for tab in ("/events", "/members", "/members/add", "/settings", "/delete")]
    for url in urls:
        assert client.get(url).content.decode().count("<h1") == 1, url
