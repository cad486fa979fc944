"""Removing a person from an organization in one step, handing over what they held, and undoing it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, RobotKey, User
from paas.lib.errors import NotAuthorized, Unprocessable
from tenants import access
from tenants.actions import custom_role, robot_key
from tenants.actions import departure as actions
from tenants.actions import robot as robots
from tenants.actions import role as roles
from tenants.models import Departure, Invitation, OrganizationRole, RoleRequest, SpaceRole


def body(org, user, **more):
    ends = {"organization": {"data": {"guid": org.guid}}, "user": {"data": {"guid": user.guid}}}
    heir = more.pop("heir", None)
    if heir:
        ends["heir"] = {"data": {"guid": heir.guid}}
    return {"relationships": ends, **more}


def of(user):
    return {*OrganizationRole.objects.filter(user=user)}, {*SpaceRole.objects.filter(user=user)}


def test_every_role_goes_and_comes_back_with_its_end_and_reason(api, org, space, alice, dora):
    until = timezone.now() + timedelta(days=2)
    SpaceRole.objects.filter(user=alice).update(expires_at=until, reason="until the release")
    answer = api(dora).post("/v3/departures", body(org, alice))
    assert answer.status_code == 201
    assert of(alice) == (set(), set())
    assert {role["role"] for role in answer.json()["roles"]} == {"organization_user", "space_developer"}
    assert api(alice).get(f"/v3/spaces/{space.guid}").status_code == 404

    undone = api(dora).post(f"/v3/departures/{answer.json()['guid']}/actions/undo")
    assert undone.status_code == 200 and undone.json()["lost"] == []
    row = SpaceRole.objects.get(user=alice)
    assert (row.expires_at, row.reason) == (until, "until the release")
    assert OrganizationRole.objects.filter(user=alice).exists()
    twice = api(dora).post(f"/v3/departures/{answer.json()['guid']}/actions/undo")
    assert twice.status_code == 422 and "taken back already" in twice.json()["errors"][0]["detail"]


def test_it_is_audited(api, org, alice, dora):
    departure, _ = actions.leave(dora, alice, organization=org)
    actions.undo(dora, departure)
    types = {*AuditEvent.objects.filter(actor_guid=dora.guid).values_list("type", flat=True)}
    assert {"audit.organization.member-remove", "audit.organization.member-restore"} <= types
    assert {"audit.user.space_developer_remove", "audit.user.space_developer_add"} <= types


def test_who_does_not_manage_members_is_refused(api, org, alice, bob):
    assert api(bob).post("/v3/departures", body(org, alice)).status_code == 403
    with pytest.raises(NotAuthorized):
        actions.leave(bob, alice, organization=org)


def test_a_stranger_sees_neither_the_organization_nor_who_left(api, org, alice, dora, charlie):
    assert api(charlie).post("/v3/departures", body(org, alice)).status_code == 422
    departure, _ = actions.leave(dora, alice, organization=org)
    assert api(charlie).get(f"/v3/departures/{departure.guid}").status_code == 404
    assert api(charlie).get("/v3/departures").json()["resources"] == []
    assert [row["guid"] for row in api(dora).get("/v3/departures").json()["resources"]] == [departure.guid]


def test_twice_is_told(api, org, alice, dora):
    actions.leave(dora, alice, organization=org)
    with pytest.raises(Unprocessable, match="holds no role"):
        actions.leave(dora, alice, organization=org)


def test_the_last_manager_stays_but_for_a_platform_admin(org, dora, root):
    with pytest.raises(Unprocessable, match="last organization manager"):
        actions.leave(dora, dora, organization=org)
    actions.leave(root, dora, organization=org)
    assert of(dora) == (set(), set())


def test_a_manager_can_leave_where_another_one_stays(org, dora, bob, root):
    access.give(bob, "organization_manager", org, by=root)
    for role in ("organization_auditor", "organization_billing_manager"):
        access.give(dora, role, org, by=root)
    actions.leave(dora, dora, organization=org)
    assert of(dora) == (set(), set())


def test_what_only_they_held_is_handed_over(api, org, alice, bob, dora):
    robot = robots.create(dora, org, name="ci", caretaker=alice)
    invitation = Invitation.objects.create(
        organization=org, email="x@example.com", digest="x", invited_by=alice, expires_at=timezone.now() + timedelta(7)
    )
    answer = api(dora).post("/v3/departures", body(org, alice, heir=bob))
    assert answer.status_code == 201
    robot.refresh_from_db()
    invitation.refresh_from_db()
    assert robot.caretaker == bob and invitation.invited_by == bob


def test_requests_of_the_leaver_end(org, space, alice, dora):
    permission = SpaceRole.objects.get(user=alice).permission
    request = RoleRequest.objects.create(organization=org, space=space, user=alice, permission=permission)
    actions.leave(dora, alice, organization=org)
    request.refresh_from_db()
    assert request.state == "withdrawn"


def test_nobody_from_elsewhere_takes_over(org, alice, dora, charlie):
    with pytest.raises(Unprocessable, match="take over"):
        actions.leave(dora, alice, organization=org, heir=charlie)
    assert of(alice)[0]


@pytest.fixture
def key(org, alice, dora):
    robot = robots.create(dora, org, name="ci")
    made, _ = robot_key.create(dora, robot, name="pipeline")
    RobotKey.objects.filter(pk=made.pk).update(seen_by=alice)
    return made


def test_keys_they_saw_are_rotated_and_work_on_for_a_week(org, alice, dora, key):
    _, made = actions.leave(dora, alice, organization=org)
    [(new, text)] = made.items()
    key.refresh_from_db()
    assert new.seen_by == dora and text
    assert timezone.now() + timedelta(days=6) < key.expires_at < timezone.now() + timedelta(days=8)


def test_keys_they_saw_are_revoked_if_the_manager_says_so(api, org, alice, dora, key):
    answer = api(dora).post("/v3/departures", body(org, alice, keys={key.guid: "revoke"}))
    assert answer.json()["keys"] == []
    assert not RobotKey.objects.filter(pk=key.pk).exists()


def test_who_manages_no_robots_is_told_what_to_say_of_keys(api, org, alice, bob, dora, key):
    keeper = custom_role.create(dora, org, name="keeper", where="organization", verbs=["member.manage"])
    roles.give(dora, bob, role=keeper.guid, place=org)
    SpaceRole.objects.filter(user=alice).delete()
    refused = api(bob).post("/v3/departures", body(org, alice))
    assert (
        refused.status_code == 403
        and f"'keep' for each of the keys: {key.guid}" in refused.json()["errors"][0]["detail"]
    )
    assert of(alice)[0]
    assert api(bob).post("/v3/departures", body(org, alice, keys={key.guid: "keep"})).status_code == 201


def test_a_space_that_is_gone_is_told(org, space, alice, dora):
    departure, _ = actions.leave(dora, alice, organization=org)
    space.deleting_at = timezone.now()
    space.save()
    [lost] = actions.undo(dora, departure)
    assert "production is gone" in lost
    assert OrganizationRole.objects.filter(user=alice).exists()


def test_after_thirty_days_there_is_no_undo(org, alice, dora):
    departure, _ = actions.leave(dora, alice, organization=org)
    Departure.objects.update(until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unprocessable, match="30 days"):
        actions.undo(dora, departure)


def test_sign_ins_end_where_no_organization_is_left(client, org, alice, dora, make_org, root):
    client.force_login(alice)
    other = make_org("second")
    access.give(alice, "organization_user", other, by=root)
    actions.leave(dora, alice, organization=org)
    assert client.get("/account").status_code == 200
    actions.leave(root, User.objects.get(pk=alice.pk), organization=other)
    assert client.get("/account").status_code == 302
