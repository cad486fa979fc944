"""Signing in and one's own account in a real browser: axe, a phone's width, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts import actions, signin
from tests.conftest import make_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture
def person(db):
    actions.ensure_oauth_client()
    user = make_user("alice")
    actions.create_api_token(user, name="a script with a rather long name that says what it is for")
    return user


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("path", ["/account", "/account/password", "/uaa/passcode", "/accounts/logout/"])
def test_the_pages_of_an_account_are_clean(visit, faults, person, path, width):
    page = visit(path, person, width=width)
    assert faults(page) == []


@pytest.mark.parametrize("width", [360, 1200])
def test_the_pages_before_signing_in_are_clean(visit, faults, person, width):
    for path in ("/accounts/login/", f"/accounts/link/{signin.new_link(person)}", "/accounts/link/used"):
        page = visit(path, width=width)
        wrong = [fault for fault in faults(page) if "404 (Not Found)" not in fault]
        assert wrong == []


@pytest.mark.parametrize("script", [True, False])
def test_one_signs_in_makes_a_token_and_signs_out(visit, faults, person, script):
    page = visit("/account", script=script)
    page.get_by_label("Username or e-mail address").fill(person.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("link", name="Your API tokens").click()
    page.get_by_role("button", name="Make a token").click()
    page.get_by_label("Name", exact=True).fill("backup")
    page.locator("input[value=everything]").check(force=True)
    page.get_by_role("button", name="Make the token").click()
    assert page.locator("#token").inner_text().startswith("slw_")
    if script:
        assert faults(page) == []
    page.get_by_role("link", name="Go back to your tokens").click()
    page.get_by_role("button", name="Revoke backup").click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
