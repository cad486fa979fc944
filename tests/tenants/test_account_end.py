"""The end of an account, whoever ends it: each role that goes is recorded, and keys that it saw are told of."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Mail, User
from tenants import access
from tenants.actions import robot as robots
from tenants.actions import robot_key
from tenants.models import Organization, Robot
from tests.conftest import make_user


@pytest.fixture
def robot(dora: User, org: Organization) -> Robot:
    """Dora's robot, of whose key she has seen the text."""
    made = robots.create(dora, org, name="deploy")
    robot_key.create(dora, made, name="ci")
    return made


def recorded(user: User) -> dict[str, str]:
    """The events about the account, each with who did it."""
    return dict(AuditEvent.objects.filter(target_guid=user.guid).values_list("type", "actor_guid"))


def test_an_admin_who_deletes_an_account_takes_its_roles(api: Any, root: User, alice: User, org: Organization) -> None:
    assert api(root).delete(f"/v3/users/{alice.guid}").status_code == 202
    events = recorded(alice)
    for kind in ("user.space_developer_remove", "user.organization_user_remove", "organization.member-remove"):
        assert events[f"audit.{kind}"] == root.guid
    event = AuditEvent.objects.get(type="audit.user.space_developer_remove")
    assert event.organization_guid == org.guid and event.space_guid


def test_whoever_looks_after_a_robot_is_asked_to_rotate_what_the_account_has_seen(
    api: Any, root: User, dora: User, org: Organization, robot: Robot
) -> None:
    other = make_user("other")
    for role in ("organization_user", "organization_manager"):
        access.give(other, role, org, by=root)
    assert api(root).delete(f"/v3/users/{dora.guid}").status_code == 202
    (mail,) = Mail.objects.filter(kind="key-seen")
    assert mail.to == other.email and "“ci”" in mail.subject and robot.guid in mail.body
    told = AuditEvent.objects.get(type="audit.organization.member-remove").data
    assert (told["robots"], told["keys"]) == ([robot.user.username], ["ci"])
    assert robot.user.keys.filter(name="ci").exists()  # a pipeline that has it goes on


def test_nobody_is_asked_for_an_account_that_has_seen_no_key(api: Any, root: User, alice: User, robot: Robot) -> None:
    api(root).delete(f"/v3/users/{alice.guid}")
    assert not Mail.objects.filter(kind="key-seen").exists()


def test_a_platform_admin_has_seen_keys_where_they_hold_no_role(
    api: Any, root: User, dora: User, org: Organization, robot: Robot
) -> None:
    second = make_user("second", platform_role=User.PlatformRole.ADMIN)
    robot_key.create(second, robot, name="theirs")
    assert api(root).delete(f"/v3/users/{second.guid}").status_code == 202
    (mail,) = Mail.objects.filter(kind="key-seen")
    assert mail.to == dora.email and "“theirs”" in mail.subject
    assert "audit.organization.member-remove" not in recorded(second)


def test_where_nobody_looks_after_the_robot_any_more_the_admin_is_asked(api: Any, root: User, robot: Robot) -> None:
    assert robot.caretaker
    api(root).delete(f"/v3/users/{robot.caretaker.guid}")
    assert Mail.objects.get(kind="key-seen").to == root.email
