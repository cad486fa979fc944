"""Accepting an invitation: by a button and never by opening it, as somebody new or as who is signed in, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import actions as accounts
from accounts.models import AuditEvent, Mail, User
from paas.lib.errors import NotFound, Unprocessable
from tenants import access
from tenants.actions import invitation, joining
from tenants.actions import role as roles
from tenants.models import Invitation, OrganizationRole
from tenants.offers import Choices
from tests.conftest import make_user

PASSWORD = "a horse of another colour"
ACCOUNT = {"given_name": "Nora", "family_name": "New", "new": PASSWORD, "again": PASSWORD}


@pytest.fixture
def invite(dora: User, org: Any, space: Any) -> Any:
    """Return the path of the link that went to the address."""
    accounts.ensure_oauth_client()

    def ask(email: str = "nora@example.org", *, by: User = dora, end: Any = None) -> str:
        choices = Choices(org)
        offered = [choices.offer("organization_auditor", None, end), choices.offer("space_developer", space.guid, end)]
        (result,) = invitation.invite(by, org, emails=[email], offered=[each for each in offered if each])
        return urlsplit(result.link).path

    return ask


def browser(user: User | None = None) -> Client:
    made = Client(HTTP_ACCEPT="text/html")
    if user:
        made.force_login(user)
    return made


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_somebody_new_chooses_a_password_and_is_signed_in(invite: Any, org: Any, space: Any) -> None:
    path, page = invite(), browser()
    for _ in range(2):  # a scanner that opens it, and the person
        shown = text(page.get(path))
    assert (
        "nora@example.org" in shown and "Space developer" in shown and not User.objects.filter(email="nora@example.org")
    )
    answer = page.post(path, ACCOUNT)
    assert answer.headers["Location"] == f"/orgs/{org.guid}"
    nora = User.objects.get(email="nora@example.org")
    assert (nora.username, nora.display_name) == ("nora@example.org", "Nora New") and nora.check_password(PASSWORD)
    assert access.roles_held(nora, space=space) == {"organization_user", "organization_auditor", "space_developer"}
    assert "ministry" in text(page.get("/"))
    assert OrganizationRole.objects.filter(user=nora, granted_by__email="dora@example.com").count() == 2


def test_a_link_works_once(invite: Any) -> None:
    path = invite()
    assert browser().post(path, ACCOUNT).status_code == 302
    again = browser()
    assert again.get(path).status_code == again.post(path, ACCOUNT).status_code == 404
    with pytest.raises(NotFound):
        joining.accept(make_user("eve"), path.rpartition("/")[2])
    assert User.objects.filter(email="nora@example.org").count() == 1


@pytest.mark.parametrize("how", ["late", "withdrawn", "sent again", "organization gone"])
def test_a_link_that_is_over_is_good_for_nothing(invite: Any, dora: User, org: Any, how: str) -> None:
    path = invite()
    row = Invitation.objects.get()
    if how == "late":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "withdrawn":
        invitation.withdraw(dora, row)
    elif how == "sent again":
        invitation.send_again(dora, row)
    else:
        type(org).objects.update(deleting_at=timezone.now())
    answer = browser().post(path, ACCOUNT)
    assert answer.status_code == 404 and "does not work" in text(answer)
    assert not User.objects.filter(email="nora@example.org").exists()


def test_who_is_signed_in_with_that_address_joins_with_a_button(invite: Any, org: Any) -> None:
    path = invite()
    nora = User.objects.person("nora@example.org", PASSWORD)
    assert "Sign in with it" in text(browser().get(path)) and browser().post(path, ACCOUNT).status_code == 200
    page = browser(nora)
    assert "You are signed in as nora@example.org" in text(page.get(path))
    assert nora not in access.people_of(org)
    assert page.post(path).headers["Location"] == f"/orgs/{org.guid}"
    assert nora in access.people_of(org)


def test_who_is_signed_in_with_another_account_is_told_so(invite: Any, charlie: User, org: Any) -> None:
    path, page = invite(), browser(charlie)
    shown = text(page.get(path))
    assert "went to nora@example.org, and you are signed in as charlie@example.com" in shown
    assert "Sign out and use another account" in shown and "Join as charlie" in shown
    org.mail_domains = ["example.org"]
    org.save()
    assert "Join as charlie" not in text(page.get(path))
    refused = page.post(path)
    assert refused.status_code == 400 and "may not be invited" in text(refused)
    assert charlie not in access.people_of(org)
    org.mail_domains = []
    org.save()
    assert page.post(path).status_code == 302 and charlie in access.people_of(org)
    assert Invitation.objects.get().accepted_by == charlie


def test_the_inviter_must_still_be_allowed_to_give_it(invite: Any, dora: User, org: Any, root: User) -> None:
    path = invite()
    roles.take(root, OrganizationRole.objects.get(user=dora, permission__codename="organization_manager"))
    answer = browser().post(path, ACCOUNT)
    assert answer.status_code == 400 and "cannot be given in their name any more" in text(answer)
    assert not User.objects.filter(email="nora@example.org").exists()
    again = invitation.send_again(root, Invitation.objects.get())
    assert browser().post(urlsplit(again.link).path, ACCOUNT).status_code == 302


def test_what_is_gone_meanwhile_is_left_out(invite: Any, org: Any, space: Any) -> None:
    path = invite()
    type(space).objects.filter(pk=space.pk).update(deleting_at=timezone.now())
    assert space.name not in text(browser().get(path))
    assert browser().post(path, ACCOUNT).status_code == 302
    nora = User.objects.get(email="nora@example.org")
    assert access.roles_held(nora, organization=org) == {"organization_user", "organization_auditor"}


def test_the_ends_go_with_the_roles(invite: Any, space: Any) -> None:
    end = timezone.now() + timedelta(days=2)
    assert browser().post(invite(end=end), ACCOUNT).status_code == 302
    ends = OrganizationRole.objects.filter(user__email="nora@example.org").values_list("expires_at", flat=True)
    assert set(ends) == {end}


def test_a_weak_password_is_refused_and_nothing_is_lost(invite: Any) -> None:
    path = invite()
    answer = browser().post(path, ACCOUNT | {"new": "password1234", "again": "password1234"})
    assert answer.status_code == 400 and "Nora" in text(answer)
    assert "differ" in text(browser().post(path, ACCOUNT | {"again": "something else"}))
    assert browser().post(path, ACCOUNT).status_code == 302


def test_it_is_audited_in_the_name_of_each(invite: Any) -> None:
    browser().post(invite(), ACCOUNT)
    told = dict(AuditEvent.objects.values_list("type", "actor_name"))
    assert told["audit.user.create"] == told["audit.invitation.accept"] == "nora@example.org"
    given = AuditEvent.objects.get(type="audit.user.space_developer_add", target_name="nora@example.org")
    assert (given.actor_name, given.via) == ("dora@example.com", "invitation of nora@example.org")


def test_the_link_is_nowhere_in_the_database_afterwards(invite: Any) -> None:
    path = invite()
    browser().post(path, ACCOUNT)
    assert not Mail.objects.filter(body__contains=path.rpartition("/")[2]).exists()


def test_the_api_accepts_too(invite: Any, api: Any, charlie: User, org: Any) -> None:
    accept, join = (f"/v3/invitations/actions/{what}" for what in ("accept", "join"))
    anybody = APIClient()
    anybody.default_format = "json"  # type: ignore[attr-defined]
    secret = invite().rpartition("/")[2]
    assert anybody.post(accept, {"secret": secret}).status_code == 401
    assert anybody.post(join, {"secret": secret}).status_code == 422
    made = anybody.post(join, {"secret": secret, "password": PASSWORD, "given_name": "Nora"})
    assert made.status_code == 201 and made.json()["username"] == "nora@example.org"
    assert anybody.post(join, {"secret": secret, "password": PASSWORD}).status_code == 404
    other = invite("other@example.org").rpartition("/")[2]
    answer = api(charlie).post(accept, {"secret": other}).json()
    assert answer["state"] == "accepted" and answer["relationships"]["accepted_by"]["data"]["guid"] == charlie.guid
    assert charlie in access.people_of(org)


def test_a_robot_joins_nothing(invite: Any, root: User) -> None:
    robot = accounts.create_robot(root, client_id="walker", secret="a long enough secret")
    with pytest.raises((NotFound, Unprocessable)):
        joining.accept(robot, invite().rpartition("/")[2])


def test_a_suspended_organization_takes_nobody(invite: Any, org: Any) -> None:
    path = invite()
    org.suspended = True
    org.save()
    answer = browser().post(path, ACCOUNT)
    assert answer.status_code in (400, 403) and "suspended" in text(answer)
    assert not User.objects.filter(email="nora@example.org").exists()
