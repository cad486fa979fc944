"""The pages of the record: words, filters, links, pages of equal cost, and files of everything that fits."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent
from accounts.origin import Origin, coming_from
from apps.actions import app as apps
from paas.lib.errors import NotAuthorized
from tenants import access, events
from tests.console.counting import queries

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


@pytest.fixture
def record(alice: Any, bob: Any, space: Any, other_space: Any) -> None:
    """Two changes in the space, through two doors, and one in another organization."""
    AuditEvent.objects.all().delete()
    with coming_from(Origin("api", "192.0.2.7", "token ci")):
        audit.record(alice, "audit.space.update", space, before={"name": "prod"}, after={"name": "production"})
    with coming_from(Origin("console", "192.0.2.8")):
        audit.record(bob, "audit.user.space_developer_add", alice, space=space, role="space_developer")
    audit.record(alice, "audit.space.update", other_space)


def many(space: Any, count: int, type: str = "audit.route.create", **fields: Any) -> None:
    """Events of a year, one after the other."""
    start = timezone.now() - timedelta(days=365)
    usual = {
        "actor_guid": "a", "actor_name": "someone", "actor_type": "user", "target_guid": "r", "target_type": "route",
        "space_guid": space.guid, "organization_guid": space.organization.guid, "target_name": "somewhere",
    }  # fmt: skip
    AuditEvent.objects.bulk_create(
        AuditEvent(**{**usual, **fields}, type=type, created_at=start + timedelta(seconds=number))
        for number in range(count)
    )


def text(client: Any, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def file(client: Any, url: str) -> str:
    return b"".join(client.get(url)).decode()


def test_a_line_says_who_what_where_and_how(browser: Any, bob: Any, space: Any, record: None) -> None:
    page = text(browser(bob), f"/spaces/{space.guid}/events")
    assert "name: prod → production" in page
    assert "API from 192.0.2.7, token ci" in page
    assert "console from 192.0.2.8" in page
    assert "audit." not in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"changed", "gave"}),
        ("person=ALICE", {"changed"}),
        ("q=192.0.2.8", {"gave"}),
        ("q=the+role", set()),
        ("thing=alice", {"gave"}),
        ("kind=roles", {"gave"}),
        ("kind=places", {"changed"}),
        ("kind=services", set()),
        ("door=api", {"changed"}),
        ("door=none", set()),
        ("since=2020-01-01", {"changed", "gave"}),
        ("until=2020-01-01", set()),
        ("since=2999-01-01", set()),
    ],
)
def test_the_record_is_filtered(browser: Any, bob: Any, space: Any, record: None, query: str, shown: set[str]) -> None:
    page = text(browser(bob), f"/spaces/{space.guid}/events?{query}")
    words = {"changed": "changed the space", "gave": "the role space developer"}
    assert {name for name, told in words.items() if told in page} == shown


def test_today_is_in_a_filter_that_ends_today(browser: Any, bob: Any, space: Any, record: None) -> None:
    today = timezone.now().date().isoformat()
    assert "changed the space" in text(browser(bob), f"/spaces/{space.guid}/events?since={today}&until={today}")


def test_a_filter_that_cannot_be_read_is_said_and_left_out(browser: Any, bob: Any, space: Any, record: None) -> None:
    page = text(browser(bob), f"/spaces/{space.guid}/events?since=yesterday&kind=nonsense&before=rubbish")
    assert "Enter a day like 2026-03-31." in page
    assert "Choose one of the list." in page
    assert "changed the space" in page


def test_what_is_still_there_is_linked(browser: Any, alice: Any, dora: Any, space: Any) -> None:
    app = apps.create(alice, space, name="site")
    gone = apps.create(alice, space, name="old")
    apps.delete(alice, gone)
    page = text(browser(dora), f"/orgs/{space.organization.guid}/events")
    assert f'href="/apps/{app.guid}"' in page
    assert f'href="/people/{alice.guid}/events"' in page
    assert f"/apps/{gone.guid}" not in page


def test_who_reads_an_organizations_record_and_no_app_gets_no_links_to_apps(
    browser: Any, charlie: Any, alice: Any, root: Any, space: Any
) -> None:
    access.give(charlie, "organization_auditor", space.organization, by=root)
    app = apps.create(alice, space, name="site")
    page = text(browser(charlie), f"/orgs/{space.organization.guid}/events")
    assert "created the app site" in page
    assert f"/apps/{app.guid}" not in page


def test_a_persons_page_has_what_they_did_and_what_was_done_to_them(
    browser: Any, dora: Any, alice: Any, root: Any, record: None
) -> None:
    page = text(browser(dora), f"/people/{alice.guid}/events")
    assert page.count("changed the space") == 1  # the other one is another organization's
    assert "the role space developer in the space production" in page
    assert text(browser(root), f"/people/{alice.guid}/events").count("changed the space") == 2


def test_a_persons_page_is_for_who_reads_a_record_that_tells_of_them(
    browser: Any, dora: Any, alice: Any, charlie: Any, root: Any, org: Any, record: None
) -> None:
    url = f"/people/{alice.guid}/events"
    assert browser(charlie).get(url).status_code == 200  # her change was in charlie's space
    AuditEvent.objects.exclude(organization_guid=org.guid).delete()
    assert browser(charlie).get(url).status_code == 404
    access.give(charlie, "organization_user", org, by=root)
    charlie.space_roles.all().delete()
    assert browser(charlie).get(url).status_code == 403
    assert browser(dora).get("/people/nobody/events").status_code == 404
    assert browser(dora).get("/people/%00/events").status_code == 404


def test_who_has_left_can_still_be_read_about(browser: Any, dora: Any, alice: Any, record: None) -> None:
    guid = alice.guid
    alice.delete()
    page = text(browser(dora), f"/people/{guid}/events")
    assert "Events of the person" in page
    assert "alice@example.com" in page


def test_the_platforms_record_is_for_those_who_run_it(
    browser: Any, root: Any, dora: Any, bob: Any, record: None
) -> None:
    assert text(browser(root), "/platform/events").count("changed the space") == 2
    assert browser(dora).get("/platform/events").status_code == 403
    bob.platform_role = "admin_read_only"
    bob.save()
    assert browser(bob).get("/platform/events").status_code == 200


def test_pages_cost_the_same_however_much_there_is(
    browser: Any, dora: Any, root: Any, space: Any, record: None
) -> None:
    urls = (f"/orgs/{space.organization.guid}/events", f"/people/{dora.guid}/events", "/platform/events?q=somewhere")
    many(space, 40, actor_guid=dora.guid)
    few = [queries(browser(root), url) for url in urls]
    many(space, 3000, actor_guid=dora.guid)
    assert [queries(browser(root), url) for url in urls] == few


def test_a_search_goes_back_as_far_as_the_reader_asks(browser: Any, bob: Any, space: Any) -> None:
    many(space, 1, target_name="needle")
    many(space, events.LOOKED_AT + 5)
    client, url = browser(bob), f"/spaces/{space.guid}/events"
    page = text(client, f"{url}?thing=needle")
    assert "None of them fits." in page
    assert "Looked through the events back to" in page
    onward = page.split('rel="next">Look through older')[0].rpartition('href="?')[2].split('"')[0].replace("&amp;", "&")
    assert "needle" in onward
    assert "created the route needle" in text(client, f"{url}?{onward}")
    assert "created the route needle" in text(client, f"{url}?thing=needle&until={datetime.now(UTC):%Y-%m-%d}&{onward}")


def test_a_file_has_everything_that_fits(browser: Any, bob: Any, space: Any, record: None) -> None:
    many(space, 1200)
    client, url = browser(bob), f"/spaces/{space.guid}/events"
    rows = list(csv.DictReader(io.StringIO(file(client, f"{url}?format=csv"))))
    assert len(rows) >= 1202
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    one = next(row for row in rows if row["type"] == "audit.space.update")
    assert (one["what"], one["details"]) == ("changed the space production", "name: prod → production")
    assert (one["door"], one["address"], one["via"]) == ("api", "192.0.2.7", "token ci")
    lines = [json.loads(line) for line in file(client, f"{url}?format=jsonl&person=alice").splitlines()]
    assert [line["data"] for line in lines if line["type"] == "audit.space.update"] == [
        {"changes": {"name": ["prod", "production"]}}
    ]
    assert {line["actor"]["name"] for line in lines} == {"alice@example.com"}


def test_the_files_are_offered_with_the_filter(browser: Any, bob: Any, space: Any, record: None) -> None:
    client, url = browser(bob), f"/spaces/{space.guid}/events"
    assert 'href="?kind=roles&amp;format=csv"' in text(client, f"{url}?kind=roles")
    answer = client.get(f"{url}?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"].startswith('attachment; filename="production-events-')
    answer.close()


@pytest.mark.parametrize("name", ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(browser: Any, bob: Any, space: Any, name: str) -> None:
    many(space, 1, target_name=name)
    rows = csv.DictReader(io.StringIO(file(browser(bob), f"/spaces/{space.guid}/events?format=csv")))
    assert [row["target"] for row in rows if row["target"].endswith(name)] == [f"'{name}"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_files_are_for_who_may_read_the_page(
    browser: Any, org: Any, space: Any, alice: Any, charlie: Any, format: str
) -> None:
    for url in (f"/orgs/{org.guid}", "/platform"):
        assert browser(alice).get(f"{url}/events?format={format}").status_code == 403
    assert browser(charlie).get(f"/spaces/{space.guid}/events?format={format}").status_code == 404


def test_who_loses_the_right_gets_no_more_of_the_file(browser: Any, bob: Any, space: Any) -> None:
    many(space, 1500)
    answer = browser(bob).get(f"/spaces/{space.guid}/events?format=csv")

    async def read() -> None:
        pieces = aiter(answer)
        assert b"guid" in await anext(pieces)
        assert b"somewhere" in await anext(pieces)
        await sync_to_async(bob.space_roles.all().delete)()
        with pytest.raises(NotAuthorized):
            await anext(pieces)

    async_to_sync(read)()
