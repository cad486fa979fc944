"""Making robots: by who manages the organization, which owns them."""

from __future__ import annotations

import re

import pytest

from accounts.models import AuditEvent, User
from tenants import access
from tenants.actions import robot as robots
from tenants.models import Robot


def body(org, **fields):
    return {"name": "Deploy from CI", "relationships": {"organization": {"data": {"guid": org.guid}}}, **fields}


def test_a_manager_makes_one_and_looks_after_it(api, dora, org):
    answer = api(dora).post("/v3/robots", body(org, description="Pushes.", address_ranges=["203.0.113.0/24"]))
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert re.fullmatch(r"deploy-from-ci-[a-z0-9]{6}", told["client_id"]) and told["guid"] == told["client_id"]
    assert told["relationships"]["caretaker"]["data"]["guid"] == dora.guid
    robot = Robot.objects.get(guid=told["guid"])
    assert robot.user.kind == User.Kind.ROBOT and not robot.user.has_usable_password()
    assert access.roles_held(robot.user, organization=org) == {"organization_user"}
    assert robot.user.address_ranges == ["203.0.113.0/24"]


def test_two_organizations_may_call_theirs_the_same(root, org, other_space):
    guids = {robots.create(root, place, name="deploy").guid for place in (org, other_space.organization)}
    assert len(guids) == 2


def test_it_is_shown_as_cloud_foundry_shows_clients(api, dora, org, space):
    robot = robots.create(dora, org, name="deploy")
    user = api(dora).get(f"/v3/users/{robot.guid}").json()
    assert (user["username"], user["origin"], user["presentation_name"]) == (None, None, robot.guid)
    role = {"type": "space_developer", "relationships": {"user": {"data": {"guid": robot.guid}}}}
    role["relationships"]["space"] = {"data": {"guid": space.guid}}
    assert api(dora).post("/v3/roles", role).status_code == 201
    listed = api(dora).get(f"/v3/roles?space_guids={space.guid}&include=user").json()
    assert robot.guid in [each["presentation_name"] for each in listed["included"]["users"]]


def test_nobody_else_in_the_organization_makes_one(api, alice, bob, org):
    for caller in (alice, bob):
        assert api(caller).post("/v3/robots", body(org)).status_code == 403


def test_a_stranger_is_told_of_no_organization(api, charlie, org):
    answer = api(charlie).post("/v3/robots", body(org))
    assert answer.status_code == 422 and "Invalid organization" in answer.json()["errors"][0]["detail"]


def test_it_is_recorded_with_what_it_is(api, dora, org):
    guid = api(dora).post("/v3/robots", body(org)).json()["guid"]
    event = AuditEvent.objects.get(type="audit.robot.create")
    assert (event.actor_guid, event.target_guid, event.organization_guid) == (dora.guid, guid, org.guid)
    assert event.data["changes"]["name"] == [None, "Deploy from CI"]


def test_the_same_name_twice_is_refused(api, dora, org):
    api(dora).post("/v3/robots", body(org))
    again = api(dora).post("/v3/robots", body(org, name="deploy FROM ci"))
    assert again.status_code == 422 and "called 'deploy FROM ci' already" in again.json()["errors"][0]["detail"]
    assert Robot.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("address_ranges", ["10.0.0.1/8"], "Did you mean 10.0.0.0/8"),
        ("address_ranges", ["everywhere"], "is no address range"),
        ("username", "x", "Unknown field(s): 'username'"),
        ("platform_role", "admin", "Unknown field(s): 'platform_role'"),
        ("guid", "cf", "Unknown field(s): 'guid'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(api, dora, org, field, value, told):
    answer = api(dora).post("/v3/robots", body(org, **{field: value}))
    assert answer.status_code == 422 and told in answer.json()["errors"][0]["detail"]
    assert not Robot.objects.exists()


def test_only_a_person_of_the_organization_looks_after_it(api, dora, alice, charlie, org):
    for person, status in ((charlie, 422), (alice, 201)):
        asked = body(org, name=person.username)
        asked["relationships"]["caretaker"] = {"data": {"guid": person.guid}}
        assert api(dora).post("/v3/robots", asked).status_code == status
    assert Robot.objects.get().caretaker == alice


def test_an_admin_from_outside_makes_one_that_nobody_looks_after(api, root, org):
    assert api(root).post("/v3/robots", body(org)).json()["relationships"]["caretaker"] == {"data": None}
