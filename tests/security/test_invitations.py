"""Invitations as an attacker would use them: replayed, raced, guessed, sent to another host, passed to another organization."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.models import Mail, User
from tenants import access
from tenants.actions import invitation, joining
from tenants.models import Invitation
from tests.conftest import make_user
from tests.security.test_concurrency import after_a_flush, at_once

__all__ = ["after_a_flush"]

pytestmark = pytest.mark.django_db
raced = pytest.mark.django_db(transaction=True)
PASSWORD = "a horse of another colour"


@pytest.fixture
def secret(dora: User, org: Any) -> str:
    (result,) = invitation.invite(dora, org, emails=["nora@example.org"], offered=[])
    return result.link.rpartition("/")[2]


@raced
def test_of_many_who_use_a_link_at_once_one_gets_in(secret: str, org: Any) -> None:
    people = [make_user(f"eve{number}") for number in range(10)]
    told = at_once(partial(joining.accept, User.objects.get(pk=person.pk), secret) for person in people)
    assert told == {"done": 1, "NotFound": 9}
    assert sum(person in access.people_of(org) for person in people) == 1


@raced
def test_of_many_who_join_with_a_link_at_once_one_account_comes(secret: str) -> None:
    told = at_once([partial(joining.join, secret, password=PASSWORD)] * 10)
    assert told["done"] == 1 and User.objects.filter(email="nora@example.org").count() == 1


@raced
def test_sending_again_while_somebody_joins_leaves_no_second_way_in(secret: str, dora: User, org: Any) -> None:
    row = Invitation.objects.get()
    at_once([partial(joining.join, secret, password=PASSWORD), partial(invitation.send_again, dora, row)])
    at_once([partial(joining.accept, make_user("eve"), secret)])
    assert access.people_of(org).filter(email="eve@example.com").count() == 0


@raced
def test_two_managers_who_invite_the_same_address_at_once_make_one_invitation(dora: User, org: Any, root: User) -> None:
    ask = partial(invitation.invite, organization=org, emails=["nora@example.org"], offered=[])
    assert at_once([partial(ask, dora), partial(ask, root)] * 5) == {"done": 10}
    assert Invitation.objects.filter(state="pending").count() == 1


@pytest.mark.parametrize("guess", ["", "x", "%00", "x" * 5000, "../account"])
def test_a_guess_is_a_page_that_says_so(client: Client, secret: str, guess: str) -> None:
    assert client.get(f"/join/{guess}", HTTP_ACCEPT="text/html").status_code == 404
    assert client.post(f"/join/{guess}", {"new": PASSWORD, "again": PASSWORD}).status_code in (302, 404, 405)
    assert not User.objects.filter(email="nora@example.org").exists()


def test_the_link_leads_to_the_platform_whatever_host_was_asked(client: Client, dora: User, org: Any) -> None:
    client.force_login(dora)
    client.post(f"/orgs/{org.guid}/invite", {"emails": "nora@example.org"}, HTTP_X_FORWARDED_HOST="evil.example")
    assert "evil.example" not in Mail.objects.get(kind="invitation").body


def test_an_invitation_of_one_organization_is_not_found_in_another(
    client: Client, secret: str, charlie: User, other_space: Any, root: User
) -> None:
    access.give(charlie, "organization_manager", other_space.organization, by=root)
    client.force_login(charlie)
    here = f"/orgs/{other_space.organization.guid}/invitations/{Invitation.objects.get().guid}"
    assert client.post(f"{here}/withdraw").status_code == client.post(f"{here}/send").status_code == 404
    assert Invitation.objects.get().state == "pending"


def test_a_space_of_another_organization_is_not_offered(client: Client, dora: User, org: Any, other_space: Any) -> None:
    client.force_login(dora)
    sent = {"emails": "nora@example.org", "in_space": f"{other_space.guid} space_developer"}
    assert client.post(f"/orgs/{org.guid}/invite", sent).status_code == 200
    assert [role["role"] for role in Invitation.objects.get().roles] == ["organization_user"]
