"""Inviting and joining in a real browser, the mail between them through a real mail server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts import actions as accounts
from accounts import mail
from accounts.models import Mail, User
from paas.lib.queue import work
from tenants import access
from tenants.actions import invitation
from tenants.models import Invitation
from tests.accounts.smtp import serving
from tests.passkeys import hold_key

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "a horse of another colour"
WIDTHS = [375, 1200]


@pytest.fixture(autouse=True)
def here(live_server: Any, settings: Any, system: User) -> None:
    settings.PAAS_URL = live_server.url
    accounts.ensure_oauth_client()


def link_to(email: str, dora: User, org: Any) -> str:
    (result,) = invitation.invite(dora, org, emails=[email], offered=[])
    return "/join/" + result.link.rpartition("/")[2]


@pytest.mark.parametrize("script", [True, False])
def test_invited_by_mail_somebody_joins(
    visit: Any, faults: Any, dora: User, org: Any, space: Any, settings: Any, script: bool
) -> None:
    with serving() as server:
        settings.PAAS_SMTP_HOST, settings.PAAS_SMTP_PORT, settings.PAAS_SMTP_TLS = "127.0.0.1", server.port, "off"
        page = visit(reverse("organization_invite", args=[org.guid]), dora, script=script)
        page.get_by_label("E-mail addresses").fill("Nora New <nora@example.org>, nonsense\ndora@example.com")
        page.get_by_label("Organization auditor").check()
        page.get_by_role("row", name="production").get_by_label("Developer").check()
        page.get_by_role("button", name="Invite", exact=True).click()
        rows = [page.get_by_role("row", name=name).inner_text() for name in ("nora@", "nonsense", "dora@")]
        assert "Invited" in rows[0] and "Not an address" in rows[1] and "Added" in rows[2]
        assert "/join/" not in page.content()
        work("accounts.jobs.send_mail", Mail.objects.get(kind="invitation").pk)
        (message,) = server.messages
    assert message["To"] == "nora@example.org"
    path = re.findall(r"/join/\S+", message.get_content())[0]
    assert "/join/" not in Mail.objects.get(kind="invitation").body

    page = visit(path, script=script)
    assert faults(page) == [] if script else True
    page.get_by_label("First name (optional)").fill("Nora")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password again").fill("short")
    page.get_by_role("button", name="Make the account and join").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account and join").click()
    expect(page.get_by_text("You are in ministry now")).to_be_visible()
    nora = User.objects.get(email="nora@example.org")
    assert access.roles_held(nora, space=space) == {"organization_user", "organization_auditor", "space_developer"}


def test_somebody_joins_with_a_passkey(visit: Any, dora: User, org: Any) -> None:
    page = visit(link_to("nora@example.org", dora, org))
    hold_key(page)
    page.get_by_role("button", name="Join with a passkey instead").click()
    page.get_by_text("Add the passkey that you will sign in with").wait_for()
    page.get_by_label("Name", exact=False).first.fill("laptop")
    page.get_by_role("button", name=re.compile("passkey", re.I)).first.click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    nora = User.objects.get(email="nora@example.org")
    assert not nora.has_usable_password() and nora.authenticator_set.filter(type="webauthn").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_invitations_are_clean(
    visit: Any, faults: Any, dora: User, charlie: User, org: Any, space: Any, width: int
) -> None:
    org.mail_domains = ["example.org", "an-office-with-a-long-name.example.com"]
    org.save()
    path = link_to("somebody-with-a-rather-long-name@an-office-with-a-long-name.example.com", dora, org)
    link_to("late@example.org", dora, org)
    Invitation.objects.filter(email="late@example.org").update(expires_at=timezone.now())
    for name in ("organization_invite", "organization_invitations", "organization_mail_domains"):
        page = visit(reverse(name, args=[org.guid]), dora, width=width)
        assert faults(page) == []
    page.goto(page.url.replace("/invitations/domains", "/invitations?past"))
    assert faults(page) == []
    page = visit(reverse("organization_invite", args=[org.guid]), dora, width=width)
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert [fault for fault in faults(page) if "400 (Bad Request)" not in fault] == []
    page.complaints.clear()
    page.get_by_label("E-mail addresses").fill("new@example.org, nonsense, x@elsewhere.net")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("/join/")).to_be_visible()
    assert faults(page) == []
    for user in (None, charlie):
        assert faults(visit(path, user, width=width)) == []
    assert [fault for fault in faults(visit("/join/over", width=width)) if "404 (Not Found)" not in fault] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_outbox_and_the_pages_of_ones_own_account_are_clean(
    visit: Any, faults: Any, root: User, dora: User, org: Any, width: int
) -> None:
    assert faults(visit("/outbox", root, width=width)) == []
    link_to("nora@example.org", dora, org)
    failed = mail.send("gone@example.org", "added", subject="x", template="mail/added.txt", guid="x")
    Mail.objects.filter(pk=failed.pk).update(last_error="The mail server refuses gone@example.org: 550 no such user")
    page = visit("/outbox", root, width=width)
    assert faults(page) == []
    page.get_by_role("link", name="invites you").click()
    expect(page.get_by_role("button", name="Show the link")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Show the link").click()
    expect(page.get_by_role("heading", name="The link")).to_be_visible()
    assert faults(page) == []
    for path in ("/account", "/account/names", "/account/email", "/account/close"):
        assert faults(visit(path, dora, width=width)) == []
    page = visit("/account/email", root, width=width)
    page.get_by_label("New e-mail address").fill("root@elsewhere.example")
    page.get_by_role("button", name="Send the links").click()
    expect(page.get_by_text("The change to root@elsewhere.example waits")).to_be_visible()
    assert faults(page) == []
    secret = re.findall(r"/accounts/email/\S+", Mail.objects.get(kind="email-change-new").body)[0]
    page = visit(secret, width=width)
    assert faults(page) == []
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The other address has to confirm")).to_be_visible()
    assert faults(page) == []
    assert faults(visit("/account/close", root, width=width)) == []


def test_an_account_is_closed(visit: Any, alice: User) -> None:
    page = visit("/account", alice)
    page.get_by_role("link", name="Close your account").click()
    page.get_by_label("to confirm").fill(alice.username)
    page.get_by_label("Your password").fill("correct horse battery")
    page.get_by_role("button", name="Close my account").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not User.objects.filter(pk=alice.pk).exists()
