"""Recovery codes: each lets in once instead of a second factor, and new ones replace them all."""

from __future__ import annotations

import re

from allauth.mfa.models import Authenticator

from accounts.models import AuditEvent, Mail
from tests.accounts.factors import give_app, give_codes, sign_in

CODE, SHOW, NEW = "/accounts/login/code", "/account/ways/codes", "/account/ways/codes/new"


def test_each_lets_in_once(browser, address, alice):
    give_app(alice)
    first, second, *_ = give_codes(alice)
    for code, status in ((first, 302), (first, 200), (second, 302)):
        page = browser()
        sign_in(page, alice, address=address)
        assert page.post(CODE, {"code": code}).status_code == status
    page = browser(alice).get("/account/ways").content.decode()
    assert "8 left" in page


def test_new_ones_replace_the_old_and_are_shown_once(browser, address, alice):
    app, old = give_app(alice), give_codes(alice)
    page = browser()
    sign_in(page, alice, address=address)
    page.post(CODE, {"code": app.code()})
    assert "10 that you have now" in page.get(NEW).content.decode()
    assert page.post(NEW).headers["Location"] == SHOW
    shown = page.get(SHOW).content.decode()
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert all(code in shown for code in codes) and not set(codes) & set(old)
    assert not any(code in page.get(SHOW).content.decode() for code in codes)
    assert AuditEvent.objects.filter(type="audit.user.recovery-codes").count() == 1
    assert AuditEvent.objects.filter(type="audit.user.recovery-codes-shown").count() == 1
    assert Mail.objects.filter(kind="recovery-codes", to=alice.email).count() == 1
    again = browser()
    sign_in(again, alice, address=address)
    assert again.post(CODE, {"code": old[0]}).status_code == 200
    assert again.post(CODE, {"code": codes[0]}).status_code == 302


def test_they_are_not_kept_as_they_are(alice):
    give_app(alice)
    codes = give_codes(alice)
    kept = str(Authenticator.objects.get(type="recovery_codes").data)
    assert not any(code in kept for code in codes) and not re.search(r"'seed': '[0-9a-f]{80}'", kept)


def test_without_a_second_factor_there_are_none(browser, address, alice):
    page = browser()
    sign_in(page, alice, address=address)
    assert page.get(SHOW).status_code == 404
    assert "You cannot" in page.post(NEW).content.decode() and not Authenticator.objects.exists()
