"""``cf login --sso``: a code from a browser that is signed in, good once and for five minutes."""

from __future__ import annotations

import re

from django.core.cache import cache

from accounts import signin, tokens
from accounts.models import AuditEvent
from tests.accounts.factors import give_app


def code_of(page) -> str:
    return re.search(r'id="passcode">([^<]+)<', page.content.decode())[1]


def test_the_page_gives_a_code_that_signs_in_once(browser, grant, alice):
    page = browser(alice).get("/uaa/passcode")
    assert page.status_code == 200 and "no-store" in page.headers["Cache-Control"]
    body = grant(grant_type="password", passcode=code_of(page)).json()
    assert tokens.claims_of(body["access_token"])["user_id"] == alice.guid and body["refresh_token"]
    assert AuditEvent.objects.get(type="audit.user.sign-in").data["how"] == "passcode"
    again = grant(grant_type="password", passcode=code_of(page))
    assert again.status_code == 401 and again.json()["error"] == "unauthorized"


def test_a_code_that_ran_out_is_refused(grant, alice):
    code = signin.new_passcode(alice)
    cache.delete(f"passcode:{tokens.digest(code)}")
    assert grant(grant_type="password", passcode=code).status_code == 401


def test_a_code_of_somebody_who_is_suspended_is_refused(grant, alice):
    code = signin.new_passcode(alice)
    alice.is_active = False
    alice.save()
    assert grant(grant_type="password", passcode=code).status_code == 401


def test_a_code_from_before_the_first_second_factor_is_refused(grant, alice):
    code = signin.new_passcode(alice)
    give_app(alice)
    assert grant(grant_type="password", passcode=code).status_code == 401
    assert grant(grant_type="password", passcode=signin.new_passcode(alice)).status_code == 200


def test_whoever_is_not_signed_in_is_asked_to(browser):
    answer = browser().get("/uaa/passcode")
    assert answer.status_code == 302 and answer.headers["Location"] == "/accounts/login/?next=/uaa/passcode"


def test_the_word_that_stands_for_the_missing_name_signs_nobody_in(grant, alice):
    assert grant(grant_type="password", username="passcode", password="passcode").status_code == 401
