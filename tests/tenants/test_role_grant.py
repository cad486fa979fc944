"""Roles with an end and a reason: given, moved, told before they end, cleared away; and as Cloud Foundry shows them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import AuditEvent, Mail, User
from tenants import access
from tenants.actions import custom_role, robot
from tenants.actions import role as roles
from tenants.jobs.ends import end_roles
from tenants.models import OrganizationRole, SpaceRole
from tests.conftest import make_user

pytestmark = pytest.mark.django_db


def stamp(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def body(user: User, place: Any, role: str | None = "space_auditor", **fields: Any) -> dict[str, Any]:
    kind = "space" if hasattr(place, "region_id") else "organization"
    ends = {"user": {"data": {"guid": user.guid}}, kind: {"data": {"guid": place.guid}}}
    return {**({"type": role} if role else {}), "relationships": ends, **fields}


def passed(row: Any, days: float) -> None:
    """Let it be so many days later for the role."""
    for moment in ("expires_at", "announced_at"):
        if at := getattr(row, moment):
            type(row).objects.filter(pk=row.pk).update(**{moment: at - timedelta(days=days)})
    row.refresh_from_db()


@pytest.fixture
def until(dora: User, alice: User, space: Any) -> SpaceRole:
    """Alice audits the space for ten days."""
    ends = timezone.now() + timedelta(days=10)
    row: Any = roles.give(dora, alice, role="space_auditor", place=space, expires_at=ends, reason="the audit")
    return row


def test_a_manager_gives_a_role_until_a_day_and_for_a_reason(api: Any, dora: Any, alice: Any, space: Any) -> None:
    end = stamp(3)
    made = api(dora).post("/v3/role_grants", body(alice, space, expires_at=end, reason="production access"))
    assert made.status_code == 201
    told = made.json()
    assert (told["name"], told["type"], told["reason"]) == ("Space auditor", "space_auditor", "production access")
    assert told["expires_at"] == end
    assert told["relationships"]["granted_by"]["data"]["guid"] == dora.guid
    event = AuditEvent.objects.get(type="audit.user.space_auditor_add")
    assert event.data["reason"] == "production access" and event.data["expires_at"]
    again = api(dora).post("/v3/role_grants", body(alice, space))
    assert again.status_code == 422
    assert "already has 'space_auditor' role" in again.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "The end of a role must be in the future."),
        ({"expires_at": "friday"}, "Datetime has wrong format"),
        ({"role": None}, "Type or a custom_role relationship must be given"),
        ({"role": "organization_manager"}, "Relationships space cannot be provided with the organization role type"),
        ({"why": "so"}, "Unknown field(s): 'why'"),
    ],
)
def test_what_cannot_be_given_is_told(
    api: Any, dora: Any, alice: Any, space: Any, fields: dict[str, Any], sentence: str
) -> None:
    answer = api(dora).post("/v3/role_grants", body(alice, space, **fields))
    assert answer.status_code == 422
    assert sentence in answer.json()["errors"][0]["detail"]


def test_the_end_is_moved_and_removed(api: Any, dora: Any, until: SpaceRole) -> None:
    path = f"/v3/role_grants/{until.guid}"
    AuditEvent.objects.all().delete()
    for _twice in range(2):
        assert api(dora).patch(path, {"expires_at": None}).json()["expires_at"] is None
    event = AuditEvent.objects.get(type="audit.user.space_auditor_update")
    assert event.data["changes"] == {"expires_at": [until.expires_at.isoformat(), None]}
    assert api(dora).patch(path, {"reason": "for good"}).json()["reason"] == "for good"
    assert api(dora).patch(path, {"expires_at": "2020-01-01T00:00:00Z"}).status_code == 422


def test_others_see_and_change_none(api: Any, alice: Any, bob: Any, charlie: Any, space: Any, until: SpaceRole) -> None:
    path = f"/v3/role_grants/{until.guid}"
    assert api(bob).get(path).json()["reason"] == "the audit"
    for call in (api(bob).patch, api(bob).delete, api(alice).patch):
        assert call(path, {}).status_code == 403
    assert api(bob).post("/v3/role_grants", body(bob, space, "space_developer")).status_code == 403
    for call in (api(charlie).get, api(charlie).patch, api(charlie).delete):
        assert call(path).status_code == 404
    assert api(charlie).post("/v3/role_grants", body(charlie, space)).status_code == 422


def test_the_last_manager_gets_no_end(api: Any, dora: Any, root: Any, org: Any) -> None:
    row = OrganizationRole.objects.get(user=dora, permission__codename="organization_manager")
    answer = api(dora).patch(f"/v3/role_grants/{row.guid}", {"expires_at": stamp(3)})
    assert answer.status_code == 422
    assert "is the last organization manager" in answer.json()["errors"][0]["detail"]


def test_membership_never_ends_before_roles_in_spaces(api: Any, dora: Any, alice: Any, bob: Any, space: Any) -> None:
    membership = OrganizationRole.objects.get(user=alice)
    answer = api(dora).patch(f"/v3/role_grants/{membership.guid}", {"expires_at": stamp(3)})
    assert "for longer than that" in answer.json()["errors"][0]["detail"]
    in_space = SpaceRole.objects.get(user=alice)
    assert api(dora).patch(f"/v3/role_grants/{in_space.guid}", {"expires_at": stamp(2)}).status_code == 200
    assert api(dora).patch(f"/v3/role_grants/{membership.guid}", {"expires_at": stamp(3)}).status_code == 200
    for wish in ({"expires_at": None}, {"expires_at": stamp(4)}):
        answer = api(dora).patch(f"/v3/role_grants/{in_space.guid}", wish)
        assert "is a member of organization 'ministry' only until" in answer.json()["errors"][0]["detail"]


def test_an_ended_role_gives_nothing_and_is_cleared_away_once(
    api: Any, system: Any, dora: Any, alice: Any, space: Any, until: SpaceRole
) -> None:
    SpaceRole.objects.filter(user=alice).exclude(pk=until.pk).delete()
    assert api(alice).get(f"/v3/spaces/{space.guid}").status_code == 200
    passed(until, 11)
    assert api(alice).get(f"/v3/spaces/{space.guid}").status_code == 404
    for path in ("roles", "role_grants"):
        assert api(dora).get(f"/v3/{path}/{until.guid}").status_code == 404
    for _twice in range(2):
        end_roles()
    assert not SpaceRole.objects.filter(pk=until.pk).exists()
    event = AuditEvent.objects.get(type="audit.user.space_auditor_lapse")
    assert (event.actor_guid, event.target_guid, event.space_guid) == (system.guid, alice.guid, space.guid)
    assert event.data["reason"] == "the audit"


def test_a_role_that_is_given_again_after_its_end_keeps_the_record_of_it(
    dora: Any, alice: Any, space: Any, until: Any
) -> None:
    passed(until, 11)
    roles.give(dora, alice, role="space_auditor", place=space)
    end_roles()
    assert AuditEvent.objects.filter(type="audit.user.space_auditor_lapse").count() == 1
    assert SpaceRole.objects.get(user=alice, permission__codename="space_auditor").expires_at is None


def test_membership_that_ends_goes_after_the_roles_in_spaces(dora: Any, root: Any, org: Any, space: Any) -> None:
    erin, ends = make_user("erin"), timezone.now() + timedelta(days=1)
    for role, place in (("organization_user", org), ("space_auditor", space)):
        roles.give(dora, erin, role=role, place=place, expires_at=ends)
    for row in (*OrganizationRole.objects.filter(user=erin), *SpaceRole.objects.filter(user=erin)):
        passed(row, 2)
    end_roles()
    lapses = AuditEvent.objects.filter(type__endswith="_lapse").order_by("id").values_list("type", flat=True)
    assert list(lapses) == ["audit.user.space_auditor_lapse", "audit.user.organization_user_lapse"]


def test_an_end_is_told_seven_days_and_one_day_before(alice: Any, until: SpaceRole) -> None:
    told = []
    for days in (1, 1.9, 0.2, 3, 2.8, 0.2, 0.5):  # ten days are over in the end, but for some hours
        passed(until, days)
        for _twice in range(2):
            end_roles()
        until.refresh_from_db()
        told.append(list(Mail.objects.filter(to=alice.email).order_by("id").values_list("subject", flat=True)))
    seven, one = "Space auditor in production ends in 7 days", "Space auditor in production ends within a day"
    assert told == [[], [], [seven], [seven], [seven], [seven, one], [seven, one]]
    mail = Mail.objects.order_by("id").first()
    assert "the audit" in mail.body and "/requests/ask" in mail.body


def test_a_moved_end_is_told_again(dora: Any, alice: Any, until: SpaceRole) -> None:
    passed(until, 5)
    end_roles()
    roles.set_end(dora, until, expires_at=timezone.now() + timedelta(days=6), reason="longer")
    end_roles()
    assert Mail.objects.filter(to=alice.email, kind="role-ends").count() == 2


def test_the_end_of_a_robots_role_is_told_to_who_looks_after_it(dora: Any, org: Any, space: Any) -> None:
    ci = robot.create(dora, org, name="ci", caretaker=dora)
    ends = timezone.now() + timedelta(days=3)
    roles.give(dora, ci.user, role="space_developer", place=space, expires_at=ends)
    end_roles()
    mail = Mail.objects.get(kind="role-ends")
    assert mail.to == dora.email
    assert "robot “ci”" in mail.body


def test_all_grants_are_listed_filtered_and_paged(
    api: Any, dora: Any, alice: Any, bob: Any, org: Any, space: Any, until: Any
) -> None:
    own = custom_role.create(dora, org, name="restarter", where="space", verbs=["app.run"])
    row = roles.give(dora, bob, role=own.guid, place=space)

    def listed(path: str = "role_grants", **query: str) -> set[str]:
        return {each["guid"] for each in api(dora).get(f"/v3/{path}", query).json()["resources"]}

    everything = listed()
    assert row.guid in everything and until.guid in everything and len(everything) == 8
    assert everything - listed("roles") == {row.guid}
    assert listed(custom_role_guids=own.guid) == {row.guid}
    assert listed(lasting="false") == {until.guid}
    assert listed(user_guids=alice.guid, space_guids=space.guid, types="space_auditor") == {until.guid}
    page = api(dora).get("/v3/role_grants", {"per_page": "3", "page": "3", "include": "user"}).json()
    assert len(page["resources"]) == 2 and page["pagination"]["total_results"] == 8
    assert page["included"]["users"]


def test_listing_costs_the_same_whatever_the_number(
    api: Any, dora: Any, root: Any, org: Any, django_assert_max_num_queries: Any
) -> None:
    own = custom_role.create(dora, org, name="reader", where="organization", verbs=["log.read"])
    for number in range(30):
        access.give(make_user(f"p{number}"), own.guid, org, by=root)
    with django_assert_max_num_queries(7):
        api(dora).get("/v3/role_grants", {"per_page": "100"})


def test_cloud_foundrys_roles_stay_truthful(api: Any, dora: Any, alice: Any, org: Any, space: Any) -> None:
    """A custom grant is listed, filtered, paged and deleted as the widest role that it covers."""
    verbs = access.verbs_of("space_supporter") | access.verbs_of("space_auditor") | {"app.download"}
    own = custom_role.create(dora, org, name="on call", where="space", verbs=verbs)
    row = roles.give(dora, alice, role=own.guid, place=space)
    query = {"space_guids": space.guid, "types": "space_supporter,space_manager", "per_page": "1", "include": "user"}
    page = api(dora).get("/v3/roles", query).json()
    assert page["pagination"]["total_results"] == 1
    assert [(each["guid"], each["type"]) for each in page["resources"]] == [(row.guid, "space_supporter")]
    assert api(dora).delete(f"/v3/roles/{row.guid}").status_code == 202
    assert api(dora).get("/v3/roles", query).json()["resources"] == []
    event = AuditEvent.objects.get(type="audit.user.custom_role_remove")
    assert event.data["role"] == "on call"


def test_taking_twice_is_harmless(api: Any, dora: Any, until: SpaceRole) -> None:
    assert api(dora).delete(f"/v3/role_grants/{until.guid}").status_code == 202
    with pytest.raises(SpaceRole.DoesNotExist):
        roles.take(dora, until)
    assert AuditEvent.objects.filter(type="audit.user.space_auditor_remove").count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_workers_end_and_tell_once(dora: Any, alice: Any, bob: Any, space: Any) -> None:
    now = timezone.now()
    ending = roles.give(dora, alice, role="space_auditor", place=space, expires_at=now + timedelta(days=2))
    ended = roles.give(dora, bob, role="space_manager", place=space, expires_at=now + timedelta(days=1))
    passed(ended, 2)

    def work() -> None:
        try:
            end_roles()
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert AuditEvent.objects.filter(type="audit.user.space_manager_lapse").count() == 1
    assert Mail.objects.filter(to=alice.email).count() == 1
    assert SpaceRole.objects.filter(pk=ending.pk).exists()
