"""Getting past a second factor, into somebody's session, or at who has an account: as an attacker would."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actions, resets, sessions, signin
from accounts.models import AuditEvent, PasswordReset, User, UserSession
from paas.lib.errors import PaasError
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app, give_codes, sign_in

CODE, PASSKEY = "/accounts/login/code", "/accounts/login/passkey"


def test_a_planted_session_is_not_the_one_that_is_signed_in(client, alice, address):
    app = give_app(alice)
    sign_in(client, alice, address=address)
    planted = client.session.session_key
    client.post(CODE, {"code": app.code()})
    assert client.session.session_key != planted
    thief = Client()
    thief.cookies["paas_session"] = planted
    assert thief.get("/account").status_code == 302


def test_half_a_sign_in_opens_nothing(client, alice, address, app, space):
    give_app(alice)
    sign_in(client, alice, address=address)
    for path in (
        "/account",
        "/account/ways",
        "/account/sessions",
        "/uaa/passcode",
        f"/apps/{app.guid}",
        "/account/ways/app/add",
    ):
        assert client.get(path).status_code == 302, path
    assert not UserSession.objects.filter(user=alice).exists()
    assert client.post("/account/ways/app/remove").status_code == 302 and Authenticator.objects.count() == 1


def test_ones_own_code_does_not_finish_anothers_sign_in(client, alice, bob, address):
    give_app(alice)
    his = give_app(bob)
    sign_in(client, alice, address=address)
    assert client.post(CODE, {"code": his.code()}).status_code == 200
    assert client.get("/account").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_one_code_from_two_places_at_once_lets_in_once(alice, address):
    app, codes = give_app(alice), give_codes(alice)

    def enter(code):
        page = Client()
        sign_in(page, alice, address=address)
        try:
            return page.post(CODE, {"code": code}, REMOTE_ADDR=address).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        for code in (app.code(), codes[0]):
            assert sorted(threads.map(enter, [code] * 4)) == [200, 200, 200, 302]


@pytest.mark.django_db(transaction=True)
def test_one_passcode_from_two_places_at_once_signs_in_once(alice):
    code = signin.new_passcode(alice)

    def enter(_):
        try:
            return signin.by_passcode(code, address="192.0.2.1", door="cf").pk
        except signin.Refused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert [found for found in threads.map(enter, range(8)) if found] == [alice.pk]


@pytest.mark.django_db(transaction=True)
def test_of_reset_links_that_are_used_at_once_one_works_once(alice):
    for secret in ("one", "two"):
        PasswordReset.objects.create(login="", user=alice, digest=resets.digest(secret), expires_at="2999-01-01T00:00Z")

    def use(number):
        try:
            actions.reset_password(("one", "two")[number % 2], password=f"password of thief {number}")
            return True
        except PaasError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(use, range(4))) == 1
    assert not PasswordReset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_link_and_a_new_password_at_once_do_not_wait_for_each_other(alice):
    link = signin.new_link(alice)

    def use_link():
        signin.by_link(link)

    def set_password():
        actions.set_password(alice, alice, password="another good password", old=PASSWORD)

    def settled(do):
        try:
            do()
            return True
        except (PaasError, signin.Refused):
            return False  # the other one was first
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert any(threads.map(settled, (use_link, set_password)))
    assert signin.link_of(link) is None


@pytest.mark.parametrize(
    "credential",
    [
        "", "x", "null", "[]", "{}", '"text"', "1", "[" * 4000, '{"id": 1}', '{"response": []}',
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}, "clientExtensionResults": {}}),
        json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "clientExtensionResults": {}, "response": {
            "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "MQ"}}),
    ],
)  # fmt: skip
def test_what_is_no_passkey_is_refused_politely(client, alice, credential):
    answer = client.post(PASSKEY, {"credential": credential})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")
    client.force_login(alice)
    added = client.post("/account/ways/passkeys/add", {"credential": credential})
    assert added.status_code == 302 and added.headers["Location"].startswith("/accounts/confirm/")
    give_app(alice)
    assert client.post("/accounts/confirm/passkey", {"credential": credential}).status_code in (200, 302)
    assert Authenticator.objects.filter(type="webauthn").count() == 0


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/code", "/accounts/login/passkey", "/accounts/confirm/password"],
)
@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_step_leads_elsewhere(alice, bob, address, path, target):
    page, app = Client(), give_app(alice)
    sign_in(page, alice, address=address, next=target)
    leads = urlsplit(
        page.post(f"{path}?next={target}", {"code": app.code(), "next": target}).headers.get("Location", "/")
    )
    assert not leads.scheme and not leads.netloc and leads.path in ("/", "/accounts/login/", CODE)
    page.force_login(bob)
    confirmed = page.post("/accounts/confirm/password", {"password": PASSWORD, "next": target})
    assert confirmed.headers["Location"] == "/"
    shown = page.get("/account/ways", {"next": target}).content.decode()
    assert f'href="{target}"' not in shown


def test_a_form_from_elsewhere_changes_no_way_in(alice, bob, root):
    window = Client(enforce_csrf_checks=True)
    window.force_login(root)
    row = UserSession.objects.get(guid=window.session[sessions.KEY])
    for path in (
        "/account/ways/app/add", "/account/ways/app/remove", "/account/ways/codes/new", "/account/ways/passkeys/add",
        "/account/sessions/end", f"/account/sessions/{row.guid}/end", "/accounts/confirm/password", "/accounts/confirm/code",
        "/accounts/login/passkey", "/accounts/password/reset", f"/people/{alice.guid}/reset-second-factor",
        f"/people/{alice.guid}/end-sessions",
    ):  # fmt: skip
        assert window.post(path, {"login": "x"}).status_code == 403, path


def test_names_that_are_nobodys_cost_as_much_as_others(client, alice, charlie, address):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    person = User.objects.create(username="linked@example.com", email="linked@example.com", password="!unusable")
    costs = set()
    for name in (alice.username, "nobody", "nobody@example.com", charlie.username, person.username, "x" * 200):
        with CaptureQueriesContext(connection) as captured:
            sign_in(client, User(username=name), address=address, password="wrong")
        costs.add(tuple(query["sql"].split()[0] for query in captured))
    assert len(costs) == 1, costs
    refused = AuditEvent.objects.filter(type="audit.user.sign-in-refused")
    assert refused.count() == 6 and not refused.filter(target_name="nobody").exists()


def test_a_session_cannot_be_made_anothers_row(client, alice, bob):
    client.force_login(alice)
    other = Client()
    other.force_login(bob)
    session = client.session
    session[sessions.KEY] = other.session[sessions.KEY]
    session.save()
    assert client.get("/account").status_code == 302


def test_an_api_token_changes_no_way_in(bearing, browser, alice):
    browser(alice)
    _, text = actions.create_api_token(alice, name="script")
    script, row = bearing(text), UserSession.objects.get(user=alice)
    assert script.delete(f"/v3/sessions/{row.guid}").status_code == 403
    assert script.post(f"/v3/users/{alice.guid}/actions/end_sessions").status_code == 403
    assert script.put(f"/uaa/Users/{alice.guid}/password", {"password": "another long one"}).status_code == 403
    assert UserSession.objects.filter(pk=row.pk).exists()
