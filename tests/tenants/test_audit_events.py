"""The record: who may read about which place, and how it is searched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts import audit
from accounts.models import AuditEvent, User
from tenants import access


@pytest.fixture
def record(alice, space, org, other_space):
    """One event in the space, one in the organization only, one elsewhere, one nowhere."""
    AuditEvent.objects.all().delete()
    audit.record(alice, "audit.space.update", space, before={"name": "old"}, after={"name": space.name})
    audit.record(alice, "audit.organization.update", org)
    audit.record(alice, "audit.space.update", other_space)
    audit.record(alice, "audit.user.update", alice)


def seen(api: Callable, user: User, **query: str) -> set[str]:
    events = api(user).get("/v3/audit_events", query).json()["resources"]
    return {f"{event['target']['type']} {(event['organization'] or {}).get('guid', '')}".strip() for event in events}


def test_each_role_reads_about_its_own_places(api, record, alice, bob, dora, charlie, root, org, other_space):
    here, there = org.guid, other_space.organization.guid
    assert seen(api, alice) == seen(api, bob) == {f"space {here}"}
    assert seen(api, dora) == {f"space {here}", f"organization {here}"}
    assert seen(api, charlie) == {f"space {there}"}
    assert seen(api, root) == {f"space {here}", f"organization {here}", f"space {there}", "user"}


def test_an_organization_auditor_reads_about_its_spaces_too(api, record, charlie, root, org):
    access.give(charlie, "organization_auditor", org, by=root)
    assert {f"organization {org.guid}", f"space {org.guid}"} <= seen(api, charlie)


def test_the_read_only_admin_reads_everything(api, record, bob):
    bob.platform_role = User.PlatformRole.ADMIN_READ_ONLY
    assert len(seen(api, bob)) == 4


def test_a_manager_still_reads_about_a_space_that_is_gone(api, record, dora, space):
    guid = space.guid
    space.use.delete()
    space.delete()
    assert api(dora).get("/v3/audit_events", {"space_guids": guid}).json()["resources"]


def test_an_event_has_cloud_foundrys_shape(api, record, alice, space, org):
    (event,) = api(alice).get("/v3/audit_events", {"target_guids": space.guid}).json()["resources"]
    assert event["type"] == "audit.space.update"
    assert event["data"] == {"changes": {"name": ["old", space.name]}, "request": {"name": space.name}}
    assert event["actor"] == {"guid": alice.guid, "type": "user", "name": alice.username}
    assert event["target"] == {"guid": space.guid, "type": "space", "name": space.name}
    assert event["space"] == {"guid": space.guid} and event["organization"] == {"guid": org.guid}
    assert event["created_at"] == event["updated_at"]
    assert api(alice).get(f"/v3/audit_events/{event['guid']}").json() == event


def test_a_strangers_event_is_not_there(api, record, alice, charlie):
    guid = api(charlie).get("/v3/audit_events").json()["resources"][0]["guid"]
    answer = api(alice).get(f"/v3/audit_events/{guid}")
    assert answer.status_code == 404 and answer.json()["errors"][0]["detail"] == "Event not found"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("types=audit.user.update,audit.organization.update", 2),
        ("types=none", 0),
        ("target_guids[not]=x", 4),
        ("created_ats[gt]=2020-01-01T00:00:00Z", 4),
        ("updated_ats[lt]=2020-01-01T00:00:00Z", 0),
        ("order_by=-created_at&page=1&per_page=1", 1),
        ("order_by=updated_at", 4),
    ],
)
def test_the_record_is_searched(api, record, root, query, count):
    assert len(api(root).get(f"/v3/audit_events?{query}").json()["resources"]) == count


@pytest.mark.parametrize("query", ["names=x", "order_by=type", "label_selector=a", "created_ats=yesterday"])
def test_what_cannot_be_asked_is_refused(api, root, query):
    assert api(root).get(f"/v3/audit_events?{query}").status_code == 400


def test_the_newest_come_first_where_asked(api, record, root):
    events = api(root).get("/v3/audit_events", {"order_by": "-created_at"}).json()["resources"]
    assert [event["target"]["type"] for event in events] == ["user", "space", "organization", "space"]


def test_nothing_is_changed_here(api, record, root):
    guid = AuditEvent.objects.first().guid
    assert api(root).delete(f"/v3/audit_events/{guid}").status_code == 404
    assert api(root).post("/v3/audit_events", {}).status_code == 404


def test_reading_costs_the_same_whatever_the_number(api, alice, space, django_assert_max_num_queries):
    for _ in range(60):
        audit.record(alice, "audit.space.update", space)
    with django_assert_max_num_queries(4):
        api(alice).get("/v3/audit_events", {"per_page": 100})
