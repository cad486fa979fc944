"""Changing a robot: its name, who looks after it, from where it may call."""

from __future__ import annotations

from accounts.models import AuditEvent
from tenants.models import Robot


def test_it_is_changed_and_keeps_its_id(api, dora, alice, robot):
    sent = {
        "name": "Deploy",
        "address_ranges": ["203.0.113.7/32", "2001:db8::/32"],
        "relationships": {"caretaker": {"data": {"guid": alice.guid}}},
        "metadata": {"labels": {"team": "web"}},
    }
    told = api(dora).patch(f"/v3/robots/{robot.guid}", sent).json()
    assert (told["name"], told["client_id"], told["description"]) == ("Deploy", robot.guid, "Pushes the site.")
    assert told["address_ranges"] == ["203.0.113.7", "2001:db8::/32"] and told["metadata"]["labels"] == {"team": "web"}
    assert told["relationships"]["caretaker"]["data"]["guid"] == alice.guid


def test_an_auditor_may_not_and_a_stranger_sees_nothing(api, alice, bob, charlie, robot):
    for caller in (alice, bob):
        assert api(caller).patch(f"/v3/robots/{robot.guid}", {"name": "x"}).status_code == 403
        assert api(caller).get(f"/v3/robots/{robot.guid}").status_code == 200
    assert api(charlie).patch(f"/v3/robots/{robot.guid}", {"name": "x"}).status_code == 404
    assert api(charlie).get("/v3/robots").json()["resources"] == []


def test_it_is_recorded_with_before_and_after(api, dora, robot):
    api(dora).patch(f"/v3/robots/{robot.guid}", {"description": "Pushes everything."})
    event = AuditEvent.objects.get(type="audit.robot.update")
    assert event.data["changes"] == {"description": ["Pushes the site.", "Pushes everything."]}


def test_twice_is_harmless(api, dora, robot):
    for _ in range(2):
        assert api(dora).patch(f"/v3/robots/{robot.guid}", {"name": robot.user.given_name}).status_code == 200


def test_nobody_is_a_caretaker_too(api, dora, robot):
    api(dora).patch(f"/v3/robots/{robot.guid}", {"relationships": {"caretaker": {"data": None}}})
    assert Robot.objects.get().caretaker is None


def test_it_moves_to_no_other_organization(api, dora, other_space, robot):
    there = {"organization": {"data": {"guid": other_space.organization.guid}}}
    assert api(dora).patch(f"/v3/robots/{robot.guid}", {"relationships": there}).status_code == 422
    assert Robot.objects.get().organization == robot.organization


def test_listing_costs_the_same_whatever_the_number(api, dora, org, robot, django_assert_max_num_queries):
    from tenants.actions import robot as robots

    for number in range(5):
        robots.create(dora, org, name=f"robot {number}")
    with django_assert_max_num_queries(4):
        listed = api(dora).get(f"/v3/robots?organization_guids={org.guid}&order_by=-name").json()["resources"]
    assert len(listed) == 6 and listed[0]["name"] == "robot 4"
