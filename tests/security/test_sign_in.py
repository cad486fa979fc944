"""Guessing, forging and stealing what signs somebody in."""

from __future__ import annotations

import base64
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from accounts import actions, signin, tokens
from accounts.models import User
from paas.lib.crypto import key_id
from paas.lib.errors import InvalidAuthToken
from tests.accounts.conftest import PASSWORD

SECRET = "a robot's long secret"


def basic(client, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()}


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_guesses_is_no_more_than_a_burst(alice, address):
    def guess(number):
        try:
            signin.by_password(alice.username, f"wrong {number}", address=address, door="cf")
        except signin.Refused as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(30) as threads:
        found = Counter(threads.map(guess, range(90)))
    assert found["Refused"] <= signin.BURST and found["Locked"] >= 90 - signin.BURST


def test_who_signs_in_often_with_the_right_password_is_never_held_up(grant, alice):
    for _ in range(signin.BURST + 5):
        assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 200


def test_a_clients_secret_cannot_be_guessed_for_long(grant, root):
    actions.create_robot(root, client_id="deployer", secret=SECRET)
    for number in range(signin.ATTEMPTS):
        wrong = grant(basic("deployer", f"wrong {number}"), grant_type="client_credentials")
        assert wrong.json()["error_description"] == "Bad credentials"
    locked = grant(basic("deployer", SECRET), grant_type="client_credentials")
    assert locked.status_code == 401 and "locked" in locked.json()["error_description"]
    assert grant(basic("deployer", SECRET), grant_type="client_credentials", elsewhere="192.0.2.7").status_code == 200


def test_a_used_refresh_token_ends_the_whole_sign_in_at_once(grant, sign_in, alice):
    first = sign_in(alice)["refresh_token"]
    second = grant(grant_type="refresh_token", refresh_token=first).json()
    RefreshToken.objects.filter(revoked__isnull=False).update(revoked=timezone.now() - timedelta(minutes=5))
    assert grant(grant_type="refresh_token", refresh_token=first).status_code == 401
    assert grant(grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 401
    with pytest.raises(InvalidAuthToken):
        tokens.holder(second["access_token"])
    assert not RefreshToken.objects.filter(user=alice).exists()


def test_another_sign_in_of_the_same_person_goes_on(grant, sign_in, alice):
    stolen, own = sign_in(alice)["refresh_token"], sign_in(alice)
    grant(grant_type="refresh_token", refresh_token=stolen)
    RefreshToken.objects.filter(revoked__isnull=False).update(revoked=timezone.now() - timedelta(minutes=5))
    grant(grant_type="refresh_token", refresh_token=stolen)
    assert tokens.holder(own["access_token"])[0] == alice
    assert grant(grant_type="refresh_token", refresh_token=own["refresh_token"]).status_code == 200


def forged(claims, settings):
    """Tokens that say the same, signed in every wrong way."""
    key, own = settings.PAAS_SECRET_KEYS[0], {"kid": key_id(settings.PAAS_SECRET_KEYS[0])}
    signing = tokens._signing_key(key)
    yield jwt.encode(claims, None, algorithm="none", headers=own)
    yield jwt.encode(claims, "x" * 32, algorithm="HS256", headers=own)
    yield jwt.encode(claims, key, algorithm="HS256", headers=own)
    yield jwt.encode(claims, signing, algorithm="HS512", headers=own)
    yield jwt.encode(claims, signing, algorithm="HS256", headers={"kid": "another"})
    yield jwt.encode(claims, signing, algorithm="HS256")
    yield jwt.encode({**claims, "jti": "never issued"}, signing, algorithm="HS256", headers=own)
    yield jwt.encode({name: claims[name] for name in claims if name != "exp"}, signing, headers=own)


def test_forged_tokens_are_nobodys(sign_in, bearing, alice, settings):
    good = sign_in(alice)["access_token"]
    assert bearing(good).get("/v3/apps").status_code == 200
    claims = jwt.decode(good, options={"verify_signature": False})
    for token in forged(claims, settings):
        assert bearing(token).get("/v3/apps").status_code == 401


def test_a_refresh_token_opens_nothing_and_an_access_token_refreshes_nothing(grant, sign_in, bearing, alice):
    both = sign_in(alice)
    assert bearing(both["refresh_token"]).get("/v3/apps").status_code == 401
    assert grant(grant_type="refresh_token", refresh_token=both["access_token"]).status_code == 401


def test_what_the_oauth_library_keeps_for_itself_cannot_be_sent(grant, alice):
    own = {"client": "x", "user": "x", "scopes": "x", "refresh_token_instance": "x", "redirect_uri": "http://x"}
    answer = grant(grant_type="password", username=alice.username, password=PASSWORD, **own)
    assert answer.status_code == 200 and AccessToken.objects.get().user == alice
    assert grant(basic("\0", "x"), grant_type="client_credentials").status_code == 401
    assert grant({}, client_id="\0", grant_type="client_credentials").status_code == 401


def test_whoever_is_switched_off_is_out_at_once(grant, sign_in, bearing, browser, alice):
    token, code, window = sign_in(alice), signin.new_passcode(alice), browser(alice)
    _, script = actions.create_api_token(alice, name="script")
    link = signin.new_link(alice)
    assert window.get("/account").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for text in (token["access_token"], script):
        assert bearing(text).get("/v3/apps").status_code == 401
    assert window.get("/account").status_code == 302
    assert grant(grant_type="refresh_token", refresh_token=token["refresh_token"]).status_code == 401
    assert grant(grant_type="password", passcode=code).status_code == 401
    assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 401
    assert Client().post(f"/accounts/link/{link}").status_code == 404


def test_a_token_that_only_reads_changes_nothing(bearing, alice, app):
    _, text = actions.create_api_token(alice, name="reader", scope="cloud_controller.read")
    reader = bearing(text)
    assert reader.get(f"/v3/apps/{app.guid}").status_code == 200
    assert reader.post("/v3/access_tokens", {"name": "more"}).status_code == 403
    assert reader.patch(f"/v3/apps/{app.guid}", {"name": "other"}).status_code == 403
    assert reader.delete(f"/v3/apps/{app.guid}").status_code == 403
    assert reader.put(f"/uaa/Users/{alice.guid}/password", {"password": "another long one"}).status_code == 403
    overridden = reader.get(f"/v3/apps/{app.guid}", HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")
    assert overridden.status_code == 200 and overridden.json()["guid"] == app.guid


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost/",
        "http:///x",
    ],
)
def test_signing_in_leads_nowhere_else(client, alice, target):
    form = {"login": alice.username, "password": PASSWORD, "next": target}
    answer = client.post("/accounts/login/", form, headers={"Host": "127.0.0.1"}, REMOTE_ADDR=f"2001:db8::{alice.pk:x}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_signing_in_takes_another_session(client, alice):
    client.get("/accounts/login/")
    client.session["planted"] = "yes"
    before = client.session.session_key
    client.post(
        "/accounts/login/", {"login": alice.username, "password": PASSWORD}, REMOTE_ADDR=f"2001:db8::{alice.pk:x}"
    )
    assert client.session.get("_auth_user_id") == str(alice.pk) and client.session.session_key != before


def test_a_session_is_no_token(browser, alice, app):
    assert browser(alice).get(f"/v3/apps/{app.guid}").status_code == 401


def test_a_form_from_elsewhere_does_nothing(alice, app):
    window = Client(enforce_csrf_checks=True)
    window.force_login(alice)
    assert window.post(f"/apps/{app.guid}/delete", {"name": app.name}).status_code == 403
    assert window.post("/accounts/login/", {"login": "x", "password": "y"}).status_code == 403
    assert window.post(f"/accounts/link/{signin.new_link(alice)}").status_code == 403
