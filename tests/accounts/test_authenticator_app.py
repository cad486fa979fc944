"""An authenticator app: added, asked for, and removed."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache

from accounts import factors, signin
from accounts.models import AuditEvent, Mail
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import App, give_app, give_codes, sign_in

ADD, REMOVE, CODE = "/account/ways/app/add", "/account/ways/app/remove", "/accounts/login/code"


@pytest.fixture
def page(browser, address, alice):
    """A browser that alice has just signed in with, so that she need not confirm that it is she."""
    page = browser()
    assert sign_in(page, alice, address=address).status_code == 302
    return page


def test_it_is_added_with_its_first_code_and_recovery_codes_come_with_it(page, alice):
    secret = re.search(r'id="secret">(\w+)<', page.get(ADD).content.decode())[1]
    wrong = page.post(ADD, {"code": "000000"})
    assert wrong.status_code == 200 and "not right" in wrong.content.decode()
    assert secret in wrong.content.decode() and not Authenticator.objects.exists()
    answer = page.post(ADD, {"code": App(secret).code()})
    assert answer.headers["Location"] == "/account/ways/codes"
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    codes = page.get("/account/ways/codes").content.decode()
    assert len(re.findall(r"^\d{8}$", codes.partition('id="codes"')[2].replace(">", "\n", 1), re.M)) == 10
    assert not re.search(r"^\d{8}$", page.get("/account/ways/codes").content.decode(), re.M)
    event = AuditEvent.objects.get(type="audit.user.factor-add")
    assert (event.actor_guid, event.data["factor"]) == (alice.guid, "totp")
    mail = Mail.objects.get(kind="factor-added")
    assert mail.to == alice.email and "authenticator app" in mail.body


def test_the_first_second_factor_ends_every_other_sign_in_and_another_ends_none(page, browser, grant, alice, bob):
    other, his = browser(alice), browser(bob)
    refresh = grant(grant_type="password", username=alice.username, password=PASSWORD).json()["refresh_token"]
    secret = re.search(r'id="secret">(\w+)<', page.get(ADD).content.decode())[1]
    added = page.post(ADD, {"code": App(secret).code()}, follow=True).content.decode()
    assert "Your other sign-ins (2) are over" in added and page.get("/account").status_code == 200
    assert other.get("/account").status_code == 302 and his.get("/account").status_code == 200
    assert grant(grant_type="refresh_token", refresh_token=refresh).status_code == 401
    assert "Your other sign-ins, 2, were ended" in Mail.objects.get(kind="factor-added").body
    there = browser(alice)
    Authenticator.objects.create(user=alice, type="webauthn", data={})
    factors.added(alice, Authenticator.objects.get(type="totp"), here="")
    assert there.get("/account").status_code == 200


def test_from_then_on_a_code_is_asked_for_after_the_password(browser, address, alice):
    app = give_app(alice)
    page = browser()
    answer = sign_in(page, alice, address=address, next="/docs/push")
    assert answer.headers["Location"] == CODE
    assert page.get("/account").status_code == 302
    assert page.post(CODE, {"code": "000000"}).status_code == 200
    assert page.get("/account").status_code == 302
    let_in = page.post(CODE, {"code": app.code()})
    assert let_in.headers["Location"] == "/docs/push" and page.get("/account").status_code == 200
    assert AuditEvent.objects.get(type="audit.user.sign-in").data["how"] == "password and authenticator app"


def test_a_code_is_good_once_even_by_somebody_who_looked_over_the_shoulder(browser, address, alice):
    app = give_app(alice)
    for spelling, status in ((app.code(), 302), (app.code(), 200), (f"{app.code()[:3]} {app.code()[3:]}", 200)):
        page = browser()
        sign_in(page, alice, address=address)
        assert page.post(CODE, {"code": spelling}).status_code == status


def test_codes_cannot_be_guessed_for_long_and_nobody_else_is_held_up(browser, address, alice):
    app = give_app(alice)
    page = browser()
    sign_in(page, alice, address=address)
    for _ in range(signin.ATTEMPTS):
        assert "not right" in page.post(CODE, {"code": "000000"}, REMOTE_ADDR=address).content.decode()
    refused = page.post(CODE, {"code": app.code()}, REMOTE_ADDR=address)
    assert refused.status_code == 200 and "Wait five minutes" in refused.content.decode()
    assert AuditEvent.objects.filter(type="audit.user.sign-in-refused", data__how="code").count() == signin.ATTEMPTS
    elsewhere = browser()
    sign_in(elsewhere, alice, address="2001:db8::1")
    assert elsewhere.post(CODE, {"code": app.code()}, REMOTE_ADDR="2001:db8::1").status_code == 302


def test_a_thousand_addresses_are_not_a_thousand_times_as_many_guesses(browser, address, alice):
    app, known = give_app(alice), browser()
    sign_in(known, alice, address=address)
    known.post(CODE, {"code": app.code()}, REMOTE_ADDR=address)
    known.post("/accounts/logout/")
    cache.set(f"{signin._key(alice.guid)}:code", signin.CODE_ATTEMPTS - 1, 60)
    page = browser()
    sign_in(page, alice, address="2001:db8:1::1")
    page.post(CODE, {"code": "000000"}, REMOTE_ADDR="2001:db8:1::2")
    refused = page.post(CODE, {"code": app.code(1)}, REMOTE_ADDR="2001:db8:1::99")
    assert "Wait five minutes" in refused.content.decode()
    sign_in(known, alice, address=address)  # the device that is known is let in all the same
    assert known.post(CODE, {"code": app.code(1)}, REMOTE_ADDR=address).status_code == 302


def test_the_second_step_is_nothing_without_the_first(browser, address, alice):
    app = give_app(alice)
    page = browser()
    assert page.post(CODE, {"code": app.code()}).headers["Location"] == "/accounts/login/"
    sign_in(page, alice, address=address, password="wrong")
    assert page.post(CODE, {"code": app.code()}).headers["Location"] == "/accounts/login/"
    assert page.get("/account").status_code == 302


def test_it_is_removed_and_the_recovery_codes_go_with_the_last_factor(browser, address, alice):
    app = give_app(alice)
    give_codes(alice)
    page = browser()
    sign_in(page, alice, address=address)
    page.post(CODE, {"code": app.code()})
    assert page.get(REMOVE).status_code == 200
    assert page.post(REMOVE).status_code == 302
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.get(type="audit.user.factor-remove").data["factor"] == "totp"
    assert Mail.objects.filter(kind="factor-removed", to=alice.email).count() == 1
    assert page.post(REMOVE).status_code == 404  # twice is harmless


@pytest.mark.parametrize(
    "path", [ADD, REMOVE, "/account/ways/codes/new", "/account/ways/passkeys/add", "/account/password"]
)
def test_whoever_finds_a_browser_open_changes_nothing(browser, alice, path):
    if path != ADD:
        give_app(alice)
    answer = browser(alice).post(path, {"code": "1", "new": "x", "again": "x"})
    where = "/accounts/confirm/password" if path == ADD else "/accounts/confirm/code"
    assert answer.status_code == 302 and answer.headers["Location"].startswith(where)


def test_with_a_second_factor_the_password_alone_confirms_nothing(browser, alice):
    give_app(alice)
    page = browser(alice)
    answer = page.post("/accounts/confirm/password?next=/account/ways", {"password": "correct horse battery"})
    assert answer.headers["Location"].startswith("/accounts/confirm/code")
    assert page.get("/account/ways/codes/new").status_code == 302


def test_a_confirmed_change_goes_on_where_it_was(browser, alice):
    page = browser(alice)
    asked = page.get(ADD)
    assert asked.headers["Location"] == f"/accounts/confirm/password?next={ADD.replace('/', '%2F')}"
    assert "not right" in page.post(asked.headers["Location"], {"password": "wrong"}).content.decode()
    confirmed = page.post(asked.headers["Location"], {"password": "correct horse battery"})
    assert confirmed.headers["Location"] == ADD and page.get(ADD).status_code == 200


def test_nobody_sees_anothers_ways(browser, alice, bob):
    give_app(alice)
    page = browser(bob).get("/account/ways").content.decode()
    assert "Add<span" in page and "Remove<span" not in page
