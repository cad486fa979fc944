"""Platform roles: nobody but an admin gives them, and one admin is always left."""

from __future__ import annotations

import pytest

from accounts.actions import set_platform_role
from accounts.models import AuditEvent, User
from paas.lib.errors import Unprocessable
from tests.at_once import at_once
from tests.conftest import make_user

ADMIN = User.PlatformRole.ADMIN


def path(user: User) -> str:
    return f"/v3/users/{user.guid}/platform_role"


def test_an_admin_makes_another_admin_and_it_is_audited(api, root, alice):
    answer = api(root).patch(path(alice), {"role": "admin_read_only"})
    assert answer.status_code == 200 and answer.json()["role"] == "admin_read_only"
    event = AuditEvent.objects.get(type="audit.user.platform-role")
    assert event.data["changes"] == {"platform_role": [None, "admin_read_only"]}
    assert api(root).patch(path(alice), {"role": None}).json()["role"] is None


def test_nobody_else_gives_one(api, alice, dora, bob, charlie):
    bob.platform_role = User.PlatformRole.ADMIN_READ_ONLY
    for actor in (alice, dora, bob, charlie):
        assert api(actor).patch(path(alice), {"role": "admin"}).status_code == 403
    alice.refresh_from_db()
    assert alice.platform_role == ""


def test_the_last_admin_stays(root):
    with pytest.raises(Unprocessable, match="Make somebody else platform admin first"):
        set_platform_role(root, root, role="")


def test_a_robot_does_not_count(root, alice):
    User.objects.filter(pk=alice.pk).update(kind=User.Kind.ROBOT, platform_role=ADMIN)
    with pytest.raises(Unprocessable, match="last platform admin"):
        set_platform_role(root, root, role="")


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_go_at_once_leave_one(root):
    other = make_user("other", platform_role=ADMIN)

    worked = at_once([lambda: set_platform_role(root, root, role=""), lambda: set_platform_role(other, other, role="")])
    assert worked["done"] == 1
    assert User.objects.filter(platform_role=ADMIN, is_active=True).count() == 1
