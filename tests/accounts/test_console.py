"""Signing in with a browser, the account's page, and the password."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, User
from tests.accounts.conftest import PASSWORD


def test_the_sign_in_page_is_ours_and_leads_where_one_wanted_to_go(browser, address, alice):
    page = browser()
    asked = page.get("/account")
    assert asked.headers["Location"] == "/accounts/login/?next=/account"
    form = page.get(asked.headers["Location"]).content.decode()
    assert "govuk-input" in form and "Username or e-mail address" in form and "Sign up" not in form
    sent = {"login": alice.username, "password": PASSWORD, "next": "/account"}
    answer = page.post("/accounts/login/", sent, REMOTE_ADDR=address)
    assert answer.status_code == 302 and answer.headers["Location"] == "/account"
    assert alice.username in page.get("/account").content.decode()
    assert AuditEvent.objects.get(type="audit.user.sign-in").data == {
        "address": address, "door": "console", "how": "password",
    }  # fmt: skip


def test_the_username_is_as_good_as_the_address(browser, address, alice):
    User.objects.filter(pk=alice.pk).update(username="alice")
    for name in ("alice", "ALICE@example.com"):
        answer = browser().post("/accounts/login/", {"login": name, "password": PASSWORD}, REMOTE_ADDR=address)
        assert answer.status_code == 302


def test_it_leads_to_no_other_site(browser, address, alice):
    sent = {"login": alice.username, "password": PASSWORD, "next": "https://evil.example/"}
    assert browser().post("/accounts/login/", sent, REMOTE_ADDR=address).headers["Location"] == "/"


@pytest.mark.parametrize("name", ["alice@example.com", "nobody", "nobody@example.com"])
def test_a_refusal_says_the_same_to_everybody(browser, address, alice, name):
    answer = browser().post("/accounts/login/", {"login": name, "password": "wrong"}, REMOTE_ADDR=address)
    assert "The username or the password is not right." in answer.content.decode()
    assert "Error:" in answer.content.decode()


def test_guessing_is_stopped_here_too_and_counts_together_with_the_command_line(browser, grant, address, alice):
    for _ in range(3):
        grant(grant_type="password", username=alice.username, password="wrong")
    for _ in range(2):
        browser().post("/accounts/login/", {"login": alice.username, "password": "wrong"}, REMOTE_ADDR=address)
    sent = {"login": alice.username, "password": PASSWORD}
    assert "Wait five minutes" in browser().post("/accounts/login/", sent, REMOTE_ADDR=address).content.decode()
    assert browser().post("/accounts/login/", sent, REMOTE_ADDR="192.0.2.9").status_code == 302


def test_whoever_is_suspended_does_not_get_in_and_does_not_stay(browser, address, alice):
    page = browser(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert page.get("/account").status_code == 302
    answer = browser().post("/accounts/login/", {"login": alice.username, "password": PASSWORD}, REMOTE_ADDR=address)
    assert answer.status_code == 200 and "not right" in answer.content.decode()


def test_signing_out_needs_a_post(browser, alice):
    page = browser(alice)
    assert page.get("/accounts/logout/").status_code == 200
    assert page.get("/account").status_code == 200
    assert page.post("/accounts/logout/").status_code == 302
    assert page.get("/account").status_code == 302


def test_nobody_signs_up_here(browser):
    for path in ("/accounts/signup/", "/accounts/password/reset/", "/accounts/email/"):
        assert browser().get(path).status_code == 404


def test_the_account_page_shows_who_one_is_and_recent_sign_ins(browser, grant, root):
    grant(grant_type="password", username=root.username, password="wrong")
    page = browser(root).get("/account").content.decode()
    assert root.username in page and "Platform admin" in page and "wrong password" in page
    assert page.count("<h1") == 1


def test_a_password_is_changed_and_the_session_stays(browser, address, alice):
    page = browser(alice)
    sent = {"old": PASSWORD, "new": "another good password", "again": "another good password"}
    assert page.post("/account/password", sent).status_code == 302
    assert "The password is set." in page.get("/account").content.decode()
    assert User.objects.get(pk=alice.pk).check_password("another good password")


def test_other_browsers_are_signed_out_by_it(browser, alice):
    page, other = browser(alice), browser(alice)
    page.post("/account/password", {"old": PASSWORD, "new": "another good password", "again": "another good password"})
    assert other.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (
            {"old": "wrong", "new": "another good password", "again": "another good password"},
            "old password is not right",
        ),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "at least 12 characters"),
        ({"old": PASSWORD, "new": "another good password", "again": "different"}, "passwords differ"),
        ({}, "Enter a new password"),
    ],
)
def test_a_password_that_cannot_be_is_told_beside_its_field(browser, alice, sent, sentence):
    answer = browser(alice).post("/account/password", sent)
    assert answer.status_code == 400 and sentence in answer.content.decode()
    assert User.objects.get(pk=alice.pk).check_password(PASSWORD)
