"""``cf login`` of somebody with a second factor: the password alone is refused, a passcode from a browser is taken."""

from __future__ import annotations

import re

from allauth.mfa.models import Authenticator
from django.conf import settings

from accounts.models import AuditEvent
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app, sign_in


def test_the_right_password_is_told_how_to_go_on(grant, alice):
    give_app(alice)
    refused = grant(grant_type="password", username=alice.username, password=PASSWORD)
    said = refused.json()["error_description"]
    assert refused.status_code == 409 and "cf login --sso" in said and f"{settings.PAAS_URL}/uaa/passcode" in said
    assert not AuditEvent.objects.filter(type="audit.user.sign-in").exists()


def test_a_wrong_one_learns_nothing_of_it(grant, alice):
    give_app(alice)
    for name in (alice.username, "nobody"):
        refused = grant(grant_type="password", username=name, password="wrong")
        assert (refused.status_code, refused.json()["error_description"]) == (401, "Bad credentials")


def test_a_code_from_behind_the_full_sign_in_is_taken(browser, grant, address, alice):
    app, page = give_app(alice), browser()
    sign_in(page, alice, address=address, next="/uaa/passcode")
    assert page.get("/uaa/passcode").status_code == 302  # halfway is not in
    assert page.post("/accounts/login/code", {"code": app.code()}).headers["Location"] == "/uaa/passcode"
    code = re.search(r'id="passcode">([^<]+)<', page.get("/uaa/passcode").content.decode())[1]
    body = grant(grant_type="password", passcode=code).json()
    assert grant(grant_type="refresh_token", refresh_token=body["refresh_token"]).status_code == 200
    assert grant(grant_type="password", passcode=code).status_code == 401


def test_without_it_the_password_is_enough_again(grant, alice):
    give_app(alice)
    Authenticator.objects.all().delete()
    assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 200


def test_a_passcode_dies_with_the_password_that_it_came_from(browser, grant, alice):
    page = browser(alice)
    code = re.search(r'id="passcode">([^<]+)<', page.get("/uaa/passcode").content.decode())[1]
    page.post("/account/password", {"old": PASSWORD, "new": "another good password", "again": "another good password"})
    assert grant(grant_type="password", passcode=code).status_code == 401
