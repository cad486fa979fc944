"""The pages about quotas: what is used by space and by app, asking for more, and deciding about it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from apps.models import App
from tenants.actions import quota_request, space_quota
from tenants.models import OrganizationQuota, QuotaRequest, QuotaUse, SpaceQuota
from tests.console.counting import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(dora: User, org: Any, space: Any) -> SpaceQuota:
    QuotaUse.objects.filter(space=space).update(memory_mb=900, instances=3, routes=2)
    QuotaUse.objects.filter(organization=org).update(memory_mb=900, instances=3, routes=2)
    return space_quota.create(dora, org, name="small", spaces=[space], total_memory_mb=1024)


def app_in(space: Any, name: str, *, memory_mb: int, instances: int) -> App:
    app = App.objects.create(space=space, name=name, state=App.State.STARTED)
    app.processes.create(type="web", memory_mb=memory_mb, instances=instances)
    return app


def test_managers_see_each_space_against_its_quota(
    browser: Any, dora: Any, alice: Any, org: Any, space: Any, small: Any, make_space: Any
) -> None:
    make_space(org, "annex")
    page = browser(dora).get(f"/orgs/{org.guid}/use").content.decode()
    assert "900 MB of 100 GB" in page and "900 MB of 1 GB" in page and "quota small" in page
    assert "0 MB of the organization" in page
    assert "Little is left" not in page
    assert browser(alice).get(f"/orgs/{org.guid}/use").status_code == 403


def test_the_space_shows_each_apps_part_and_warns(browser: Any, bob: Any, space: Any, small: Any) -> None:
    app_in(space, "site", memory_mb=225, instances=2)
    app_in(space, "api", memory_mb=450, instances=1)
    page = browser(bob).get(f"/spaces/{space.guid}/use").content.decode()
    assert "Little is left: memory 900 MB of 1 GB" in page.replace("\n", " ")
    assert "450 MB (50 %)" in page and "2 (67 %)" in page and "1 (33 %)" in page
    assert "Ask for more" not in page


def test_an_empty_space_has_a_page(browser: Any, bob: Any, space: Any) -> None:
    page = browser(bob).get(f"/spaces/{space.guid}/use").content.decode()
    assert "There is no app here yet" in page and "shares that of the organization" in page


def test_more_is_asked_for_and_accepted_with_one_click(browser: Any, dora: Any, root: Any, org: Any) -> None:
    client = browser(dora)
    form = client.get(f"/orgs/{org.guid}/quota-requests/ask").content.decode()
    assert "Memory, in MB" in form and "Now 102400 MB" in form and "App instances" not in form
    url = f"/orgs/{org.guid}/quota-requests/ask"
    assert "Enter how much you need" in client.post(url, {"reason": "growth"}).content.decode()
    assert "enter more than 1000" in client.post(url, {"total_routes": "5"}).content.decode()
    page = client.post(url, {"total_routes": "2000", "reason": "growth"}, follow=True).content.decode()
    assert "Routes: 2000 instead of 1000" in page and "Withdraw" in page and "Accept" not in page
    listed = browser(root).get("/platform/quota-requests").content.decode()
    assert "growth" in listed and "Accept" in listed
    request = QuotaRequest.objects.get()
    done = browser(root).post(f"/quota-requests/{request.guid}/accept", {"answer": "Fine"}, follow=True)
    assert "ministry has the quota ministry now." in done.content.decode()
    org.refresh_from_db()
    assert org.quota.total_routes == 2000
    assert "Accepted by" in browser(dora).get(f"/orgs/{org.guid}/quota-requests").content.decode()


def test_another_quota_is_given_instead(browser: Any, dora: Any, root: Any, org: Any) -> None:
    request = quota_request.ask(dora, org, limits={"total_routes": 2000})
    large = OrganizationQuota.objects.create(name="large")
    url = f"/quota-requests/{request.guid}/accept"
    wrong = browser(root).post(url, {"quota": "987654"}, follow=True).content.decode()
    assert "not there any more" in wrong
    browser(root).post(url, {"quota": str(large.pk)})
    org.refresh_from_db()
    assert org.quota == large


def test_a_managers_refusal_and_a_withdrawal(
    browser: Any, dora: Any, root: Any, org: Any, space: Any, small: SpaceQuota
) -> None:
    about_space = quota_request.ask(root, space, limits={"total_memory_mb": 2048})
    page = browser(dora).get(f"/orgs/{org.guid}/quota-requests").content.decode()
    assert "Memory: 2 GB instead of 1 GB" in page
    said = browser(dora).post(f"/quota-requests/{about_space.guid}/refuse", {"answer": "No"}, follow=True)
    assert "You refused production a larger quota." in said.content.decode()
    mine = quota_request.ask(dora, org, limits={"total_routes": 2000})
    said = browser(dora).post(f"/quota-requests/{mine.guid}/withdraw", follow=True)
    assert "is withdrawn" in said.content.decode()


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("charlie", 404)])
def test_others_ask_and_decide_nothing(
    request: Any, browser: Any, dora: Any, org: Any, space: Any, who: str, status: int
) -> None:
    asked = quota_request.ask(dora, org, limits={"total_routes": 2000})
    client = browser(request.getfixturevalue(who))
    for url in (f"/orgs/{org.guid}/quota-requests/ask", f"/spaces/{space.guid}/quota-requests/ask"):
        assert client.get(url).status_code == client.post(url, {"total_routes": 2000}).status_code == status
    assert client.post(f"/quota-requests/{asked.guid}/accept").status_code == 404
    assert client.get("/platform/quota-requests").status_code == 403


def test_no_page_costs_more_queries_for_more_rows(
    browser: Any, dora: Any, root: Any, org: Any, space: Any, small: Any, make_space: Any, make_org: Any
) -> None:
    pages = (
        (root, f"/orgs/{org.guid}/use"), (root, f"/spaces/{space.guid}/use"),
        (root, f"/orgs/{org.guid}/quota-requests"), (root, "/platform/quota-requests"),
    )  # fmt: skip

    def more(name: str) -> None:
        app_in(space, f"app{name}", memory_mb=64, instances=1)
        place = make_space(org, name)
        space_quota.create(dora, org, name=f"q{name}", spaces=[place], total_routes=1)
        quota_request.ask(root, make_org(f"org{name}"), limits={"total_routes": 2000})
        quota_request.refuse(dora, quota_request.ask(root, place, limits={"total_routes": 5}))
        quota_request.ask(root, place, limits={"total_routes": 5})

    more("0")
    for user, url in pages:
        browser(user).get(url)
    before = [queries(browser(user), url) for user, url in pages]
    for number in range(1, 5):
        more(str(number))
    assert [queries(browser(user), url) for user, url in pages] == before
