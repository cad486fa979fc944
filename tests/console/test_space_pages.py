"""The console's pages about spaces that need not know what runs in them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import audit
from accounts.models import AuditEvent
from tenants import access
from tenants.models import Organization, Space

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("tab", ["/events", "/members", "/settings"])
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 200), ("bob", 200), ("dora", 200), ("root", 200), ("charlie", 404)]
)
def test_the_pages_of_a_space(request: Any, browser: Any, space: Any, tab: str, who: str, status: int) -> None:
    assert browser(request.getfixturevalue(who)).get(f"/spaces/{space.guid}{tab}").status_code == status


def test_a_manager_creates_a_space_and_works_in_it(browser: Any, dora: Any, org: Any) -> None:
    answer = browser(dora).post(f"/orgs/{org.guid}/spaces/new", {"name": "staging"})
    made = Space.objects.get(name="staging")
    assert answer["Location"] == f"/spaces/{made.guid}"
    assert {"space_developer", "space_manager"} <= access.roles_held(dora, space=made)
    types = set(AuditEvent.objects.filter(space_guid=made.guid).values_list("type", flat=True))
    assert types == {"audit.space.create", "audit.user.space_developer_add", "audit.user.space_manager_add"}


def test_an_admin_who_creates_a_space_becomes_a_member(browser: Any, root: Any, org: Any, region: Any) -> None:
    browser(root).post(f"/orgs/{org.guid}/spaces/new", {"name": "staging"})
    held = access.roles_held(root, space=Space.objects.get(name="staging"))
    assert held == {"organization_user", "space_developer", "space_manager"}


def test_a_name_that_is_taken_leaves_nothing_behind(browser: Any, dora: Any, space: Any) -> None:
    page = browser(dora).post(f"/orgs/{space.organization.guid}/spaces/new", {"name": "Production"}).content.decode()
    assert "Name must be unique per organization" in page
    assert Space.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
def test_others_create_no_space(request: Any, browser: Any, space: Any, method: str, who: str, status: int) -> None:
    client = browser(request.getfixturevalue(who))
    url = f"/orgs/{Organization.objects.get(name='ministry').guid}/spaces/new"
    assert getattr(client, method)(url, {"name": "mine"}).status_code == status
    assert not Space.objects.filter(name="mine").exists()


def test_a_manager_renames_a_space(browser: Any, dora: Any, space: Any) -> None:
    page = browser(dora).post(f"/spaces/{space.guid}/rename", {"name": "live"}, follow=True).content.decode()
    assert "The space is called live now." in page
    assert AuditEvent.objects.get(type="audit.space.update").data["changes"] == {"name": ["production", "live"]}


def test_deleting_a_space_asks_for_its_name(browser: Any, dora: Any, space: Any) -> None:
    client = browser(dora)
    assert "every app in it" in client.get(f"/spaces/{space.guid}/delete").content.decode()
    assert client.post(f"/spaces/{space.guid}/delete", {"name": "prod"}).status_code == 200
    answer = client.post(f"/spaces/{space.guid}/delete", {"name": "production"})
    assert answer["Location"] == f"/orgs/{space.organization.guid}"
    assert client.get(f"/spaces/{space.guid}/settings").status_code == 404
    assert client.post(f"/spaces/{space.guid}/delete", {"name": "production"}).status_code == 404


@pytest.mark.parametrize(("action", "sent"), [("rename", {"name": "x"}), ("delete", {"name": "production"})])
@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("bob", 403), ("charlie", 404)])
def test_others_change_no_space(
    request: Any, browser: Any, space: Any, action: str, sent: dict[str, str], who: str, status: int
) -> None:
    client = browser(request.getfixturevalue(who))
    assert client.post(f"/spaces/{space.guid}/{action}", sent).status_code == status
    space.refresh_from_db()
    assert (space.name, space.deleting_at) == ("production", None)


def test_events_are_told_in_words(browser: Any, bob: Any, dora: Any, space: Any) -> None:
    client = browser(dora)
    client.post(f"/spaces/{space.guid}/rename", {"name": "live"})
    client.post(f"/spaces/{space.guid}/members/add", {"person": "dora@example.com", "roles": ["space_supporter"]})
    page = browser(bob).get(f"/spaces/{space.guid}/events").content.decode()
    assert f'changed the space <a class="govuk-link" href="/spaces/{space.guid}">live</a>' in page
    assert "name: production → live" in page
    assert "the role space supporter in the space live" in page
    assert "audit." not in page


def test_events_are_filtered_and_paged_in_constant_queries(browser: Any, bob: Any, space: Any) -> None:
    client, url = browser(bob), f"/spaces/{space.guid}/events"
    for number in range(120):
        audit.record(bob, "audit.app.start" if number % 2 else "audit.route.create", _Thing(f"thing-{number}", space))
    first = client.get(url).content.decode()
    assert first.index("started the app thing-119") < first.index("created the route thing-118")
    assert "thing-69" not in first
    older = first.split('href="?before=')[1].split('"')[0]
    assert "thing-69" in client.get(f"{url}?before={older}").content.decode()
    only = client.get(f"{url}?kind=routes").content.decode()
    assert "created the route thing-118" in only
    assert "started the app" not in only
    assert "created the route thing-118" in client.get(f"{url}?q=THING-118").content.decode()
    assert "No event fits" in client.get(f"{url}?q=nothing+like+it").content.decode()
    assert client.get(f"{url}?before=rubbish&kind=rubbish&q=%00").status_code == 200


class _Thing:
    """What an event is about; it need not be there any more."""

    guid = "0"

    def __init__(self, name: str, space: Any) -> None:
        self.name, self.space = name, space
