"""Passkeys, codes and sessions in a real browser, with an authenticator that the browser itself pretends to have."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect

from accounts import actions, resets
from accounts.models import PasswordReset
from tests.accounts.factors import give_app, give_codes
from tests.conftest import make_user
from tests.passkeys import hold_key

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture
def person(db):
    actions.ensure_oauth_client()
    return make_user("alice")


def fill_in(page: Any, person: Any, password: str = PASSWORD) -> None:
    page.get_by_label("Username or e-mail address").fill(person.username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Any, name: str) -> None:
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add the passkey").click()


@pytest.mark.parametrize("width", [360, 1200])
def test_a_passkey_is_added_and_is_all_that_signing_in_takes(visit, faults, person, width):
    page = visit("/account/ways", width=width)
    hold_key(page)
    fill_in(page, person)
    page.get_by_role("link", name="Add a passkey").wait_for()
    assert faults(page) == []
    page.get_by_role("link", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Add the passkey")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Name").fill("my phone")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert len(page.locator("#codes").inner_text().split()) == 10 and faults(page) == []
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("row").filter(has_text="my phone")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Organizations").wait_for()
    page.get_by_role("link", name=person.display_name).click()
    expect(page.get_by_text("signed in by passkey")).to_be_visible()
    page.goto(page.url.replace("/account", "/account/sessions"))
    expect(page.get_by_text("Chrome on Linux")).to_be_visible()
    assert faults(page) == []


def test_an_old_security_key_is_a_second_factor_and_no_more(visit, faults, person):
    page = visit("/account/ways")
    hold_key(page, transport="usb", hasResidentKey=False, hasUserVerification=False)
    fill_in(page, person)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add the passkey").click()
    page.locator("[data-passkey-error]:visible").wait_for()
    page.get_by_label("Sign in with it alone, without the password").uncheck()
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    fill_in(page, person)
    page.get_by_role("heading", name="Second factor").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Organizations").wait_for()


def test_a_browser_that_was_left_open_asks_again_with_the_passkey(visit, faults, person, live_server):
    first = visit("/account/ways")
    devtools, key = hold_key(first)
    fill_in(first, person)
    add_passkey(first, "my phone")
    first.get_by_role("link", name="I have kept them").click()
    held = devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"][0]
    page = visit("/account", person)
    devtools, key = hold_key(page)
    devtools.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": held})
    page.goto(f"{live_server.url}/account/ways")
    page.get_by_role("link", name="Remove my phone").click()
    page.get_by_role("link", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Remove the passkey “my phone”").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Remove the passkey").click()
    page.get_by_text("You have no passkey yet.").wait_for()
    assert not Authenticator.objects.exists()


def test_without_the_finger_there_is_no_way_in_by_passkey_alone(visit, person):
    page = visit("/account/ways")
    devtools, key = hold_key(page)
    fill_in(page, person)
    add_passkey(page, "my phone")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("No passkey was chosen, or it took too long.").wait_for()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_a_code_is_enough_without_a_passkey_and_without_scripts(visit, faults, person, script):
    app = give_app(person)
    page = visit("/account", script=script)
    fill_in(page, person)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible(visible=script)
    if script:
        assert faults(page) == []
    page.get_by_label("Code").fill(app.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1200])
def test_the_other_pages_are_clean(visit, faults, person, live_server, width):
    codes, app = give_codes(person), give_app(person)
    page = visit("/account/ways", width=width)
    fill_in(page, person)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("9 left")).to_be_visible()
    assert faults(page) == []
    for path in ("app/remove", "codes/new", "codes", "passkeys/add"):
        page.goto(f"{live_server.url}/account/ways/{path}")
        assert faults(page) == [], path
    Authenticator.objects.filter(type="totp").delete()
    page.goto(f"{live_server.url}/account/ways/app/add")
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert faults(page) == []
    PasswordReset.objects.create(user=person, digest=resets.digest("secret"), expires_at="2999-01-01T00:00Z")
    stale = visit("/account/ways/codes/new", person, width=width)
    expect(stale.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert faults(stale) == []
    for path in ("/accounts/password/reset", "/accounts/password/reset/secret"):
        lost = visit(path, width=width)
        assert faults(lost) == [], path
    assert app


def test_a_lost_password_without_scripts(visit, person, live_server):
    page = visit("/accounts/login/", script=False)
    page.get_by_role("link", name="I have lost my password").click()
    page.get_by_label("Username or e-mail address").fill(person.username)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
