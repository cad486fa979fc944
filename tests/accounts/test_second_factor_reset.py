"""Somebody who lost every second factor: a platform admin takes it away, or whoever runs the platform's machine."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, Device, Mail
from tests.accounts.factors import give_app, give_codes, sign_in


def reset(person):
    return f"/v3/users/{person.guid}/actions/reset_second_factor"


def test_it_takes_every_factor_and_session_and_is_told(browser, calling, root, alice, address):
    give_app(alice)
    give_codes(alice)
    window = browser(alice)
    assert calling(root).post(reset(alice)).status_code == 204
    assert not Authenticator.objects.exists() and not Device.objects.filter(user=alice).exists()
    assert window.get("/account").status_code == 302
    assert sign_in(browser(), alice, address=address).headers["Location"] == "/"
    event = AuditEvent.objects.get(type="audit.user.factor-reset")
    assert (event.actor_guid, event.target_guid, event.data["factors"]) == (
        root.guid, alice.guid, ["totp", "recovery_codes"],
    )  # fmt: skip
    assert Mail.objects.get(kind="factor-reset").to == alice.email


def test_twice_is_refused_with_a_sentence(calling, root, alice):
    give_app(alice)
    calling(root).post(reset(alice))
    again = calling(root).post(reset(alice))
    assert again.status_code == 422 and "has no second factor" in again.json()["errors"][0]["detail"]


def test_nobody_else_does_it_and_nobody_their_own(calling, root, alice, bob):
    give_app(alice)
    assert calling(bob).post(reset(alice)).status_code == 404
    assert calling(bob).post(reset(bob)).status_code == 403
    admin = calling(root)
    give_app(root)
    assert "their own" in admin.post(reset(root)).json()["errors"][0]["detail"]
    assert Authenticator.objects.count() == 2


def test_the_console_asks_first(browser, root, alice, bob):
    give_app(alice)
    page, path = browser(root), f"/people/{alice.guid}"
    assert "authenticator app" in page.get(path).content.decode()
    assert "when you are sure" in page.get(f"{path}/reset-second-factor").content.decode()
    assert "was told so" in page.post(f"{path}/reset-second-factor", follow=True).content.decode()
    assert not Authenticator.objects.exists()
    window = browser(alice)
    page.post(f"{path}/end-sessions")
    assert window.get("/account").status_code == 302
    for method in (browser(bob).get, browser(bob).post):
        assert method(f"{path}/reset-second-factor").status_code == 403
    assert page.get("/people/nobody").status_code == 404


def test_the_command_does_it_for_whoever_runs_the_machine(system, alice):
    give_app(alice)
    said = StringIO()
    call_command("reset_second_factor", alice.username, stdout=said)
    assert "signed out everywhere" in said.getvalue() and not Authenticator.objects.exists()
    assert AuditEvent.objects.get(type="audit.user.factor-reset").actor_guid == system.guid
    for name in (alice.username, "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name)
