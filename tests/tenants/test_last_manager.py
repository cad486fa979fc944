"""The last manager of an organization stays, whoever asks and however many ask at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from paas.lib.errors import Unprocessable
from tenants import access
from tenants.actions import role
from tenants.models import OrganizationRole
from tests.at_once import at_once


@pytest.fixture
def erin(org, root) -> User:
    user = User.objects.person("erin@example.com", "correct horse battery")
    for name in ("organization_user", "organization_manager"):
        access.give(user, name, org, by=root)
    return user


def manages(user: User) -> OrganizationRole:
    return OrganizationRole.objects.get(user=user, permission__codename=role.MANAGER)


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_remove_each_other_at_once_leave_one(org, dora, erin):
    worked = at_once([lambda: role.take(dora, manages(erin)), lambda: role.take(erin, manages(dora))])
    assert worked["done"] == 1
    assert role.lasting_managers(org).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_give_up_at_once_leave_one(org, dora, erin):
    until = timezone.now() + timedelta(days=1)
    worked = at_once(
        [
            lambda: role.take(dora, manages(dora)),
            lambda: role.set_end(erin, manages(erin), expires_at=until, reason="leaving"),
        ]
    )
    assert worked["done"] == 1
    assert role.lasting_managers(org).count() == 1


def test_the_sentence_says_what_to_do_instead(api, dora):
    answer = api(dora).delete(f"/v3/roles/{manages(dora).guid}")
    assert answer.status_code == 422
    assert "Make somebody else organization manager first" in answer.json()["errors"][0]["detail"]


def test_a_manager_with_an_end_date_does_not_count(org, dora, erin):
    role.set_end(dora, manages(erin), expires_at=timezone.now() + timedelta(days=1), reason="holidays")
    with pytest.raises(Unprocessable, match="without an end date"):
        role.take(dora, manages(dora))


def test_a_robot_does_not_count(org, dora, erin):
    User.objects.filter(pk=erin.pk).update(kind=User.Kind.ROBOT)
    with pytest.raises(Unprocessable, match="last organization manager"):
        role.take(dora, manages(dora))


def test_the_last_manager_gets_no_end_date(dora):
    with pytest.raises(Unprocessable, match="last organization manager"):
        role.set_end(dora, manages(dora), expires_at=timezone.now() + timedelta(days=1), reason="")


def test_a_platform_admin_may_and_the_organization_is_listed_as_such(client, org, dora, root):
    role.take(root, manages(dora))
    client.force_login(root)
    assert b"No manager" in client.get("/", HTTP_ACCEPT="text/html").content
    assert b"Nobody manages this organization" in client.get(f"/orgs/{org.guid}").content


def test_membership_stays_while_there_are_roles_in_spaces_unless_they_go_too(api, alice, dora):
    membership = OrganizationRole.objects.get(user=alice)
    refused = api(dora).delete(f"/v3/roles/{membership.guid}")
    assert refused.status_code == 422 and "has roles in spaces" in refused.json()["errors"][0]["detail"]
    assert api(dora).delete(f"/v3/role_grants/{membership.guid}").status_code == 422
    assert api(dora).delete(f"/v3/role_grants/{membership.guid}?recursive=true").status_code == 202
    assert not alice.organization_roles.exists() and not alice.space_roles.exists()
