"""Signing in on a command line: the grants, what their tokens say, and how they end."""

from __future__ import annotations

import base64
from datetime import timedelta

import jwt
import pytest
from django.test import override_settings
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from accounts import actions, tokens
from accounts.models import AuditEvent, User
from paas.lib.crypto import key_id
from paas.lib.errors import InvalidAuthToken
from tests.accounts.conftest import PASSWORD

SECRET = "a robot's long secret"


def said(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_password_gets_an_access_and_a_refresh_token(grant, alice):
    answer = grant(grant_type="password", username=alice.username, password=PASSWORD, scope="")
    body = answer.json()
    assert answer.status_code == 200 and body["token_type"] == "bearer" and body["expires_in"] == 599
    assert set(body) == {"access_token", "token_type", "refresh_token", "expires_in", "scope", "jti"}
    claims = said(body["access_token"])
    assert (claims["user_name"], claims["user_id"], claims["origin"]) == (alice.username, alice.guid, "uaa")
    assert claims["client_id"] == "cf" and claims["revocable"] is True and claims["jti"] == body["jti"]
    assert claims["exp"] - claims["iat"] == 600 and "cloud_controller.write" in claims["scope"]
    refresh = said(body["refresh_token"])  # signed after the other, maybe in the next second
    assert refresh["exp"] - refresh["iat"] == 20 * 3600
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_email_address_and_any_case_of_it_are_as_good_as_the_username(grant, alice):
    alice.username = "alice"
    alice.save()
    for name in ("alice", "ALICE", "alice@example.com", "Alice@Example.com"):
        assert grant(grant_type="password", username=name, password=PASSWORD).status_code == 200


def test_ids_in_the_body_and_a_query_string_are_accepted(grant, alice):
    form = {"grant_type": "password", "username": alice.username, "password": PASSWORD}
    assert grant({}, client_id="cf", client_secret="", **form).status_code == 200
    assert grant(path="/uaa/oauth/token?login_hint=%7B%7D", **form).status_code == 200


@pytest.mark.parametrize("form", [{"password": "wrong"}, {"username": "nobody"}, {"username": "al\0ice"}])
def test_a_wrong_password_and_an_unknown_name_are_refused_alike(grant, alice, form):
    answer = grant(**{"grant_type": "password", "username": alice.username, "password": PASSWORD, **form})
    assert answer.status_code == 401
    assert answer.json() == {"error": "unauthorized", "error_description": "Bad credentials"}


def test_an_unknown_client_and_an_unknown_grant_are_refused(grant, alice):
    form = {"username": alice.username, "password": PASSWORD}
    other = {"Authorization": "Basic " + base64.b64encode(b"other:").decode()}
    assert grant(other, grant_type="password", **form).json()["error"] == "unauthorized"
    assert grant(grant_type="implicit", **form).json()["error"] == "unsupported_grant_type"
    assert grant({}, grant_type="password", **form).status_code == 401


def test_a_refused_password_is_recorded_and_so_is_a_sign_in(grant, address, alice):
    grant(grant_type="password", username=alice.username, password="wrong")
    grant(grant_type="password", username=alice.username, password=PASSWORD)
    refused = AuditEvent.objects.get(type="audit.user.sign-in-refused")
    assert (refused.target_guid, refused.actor_name, refused.data["address"]) == (alice.guid, "system", address)
    assert AuditEvent.objects.get(type="audit.user.sign-in").data["how"] == "password"
    assert "wrong" not in str(refused.data)


def test_guessing_is_stopped_and_locks_out_only_the_address_that_guessed(grant, alice, bob):
    form = {"grant_type": "password", "username": alice.username}
    for _ in range(5):
        grant(password="wrong", **form)
    locked = grant(password=PASSWORD, **form)
    assert locked.status_code == 401 and "has been locked" in locked.json()["error_description"]
    assert grant(password=PASSWORD, elsewhere="192.0.2.2", **form).status_code == 200
    assert grant(grant_type="password", username=bob.username, password=PASSWORD).status_code == 200


def test_names_that_are_nobodys_are_counted_too_so_that_they_tell_nothing(grant):
    for _ in range(5):
        grant(grant_type="password", username="nobody", password="wrong")
    assert "locked" in grant(grant_type="password", username="Nobody", password="wrong").json()["error_description"]


def test_the_right_password_forgives_the_wrong_ones_before_it(grant, alice):
    form = {"grant_type": "password", "username": alice.username}
    for _ in range(3):
        for _ in range(4):
            grant(password="wrong", **form)
        assert grant(password=PASSWORD, **form).status_code == 200


def test_whoever_is_suspended_is_refused_at_once(grant, sign_in, bearing, alice):
    pair = sign_in(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 401
    assert grant(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 401
    assert bearing(pair["access_token"]).get("/v3/organizations").status_code == 401


def test_a_refresh_token_is_exchanged_for_a_new_pair(grant, sign_in, bearing, alice):
    pair = sign_in(alice)
    new = grant(grant_type="refresh_token", refresh_token=pair["refresh_token"], scope="").json()
    assert new["refresh_token"] != pair["refresh_token"] and new["scope"] == pair["scope"]
    assert bearing(new["access_token"]).get("/v3/organizations").status_code == 200
    assert bearing(pair["access_token"]).get("/v3/organizations").status_code == 200  # another process still has it


def test_two_processes_may_exchange_the_same_refresh_token_at_once(grant, sign_in, alice):
    pair = sign_in(alice)
    for _ in range(2):
        assert grant(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 200


def test_a_refresh_token_that_turns_up_late_ends_the_whole_session(grant, sign_in, bearing, alice):
    pair = sign_in(alice)
    new = grant(grant_type="refresh_token", refresh_token=pair["refresh_token"]).json()
    RefreshToken.objects.exclude(revoked=None).update(revoked=timezone.now() - timedelta(minutes=2))
    stolen = grant(grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert stolen.status_code == 401 and stolen.json()["error"] == "invalid_token"
    RefreshToken.objects.update(revoked=timezone.now() - timedelta(minutes=2))
    assert grant(grant_type="refresh_token", refresh_token=new["refresh_token"]).status_code == 401
    assert bearing(new["access_token"]).get("/v3/organizations").status_code == 401


@pytest.mark.parametrize("what", ["access", "damaged", "text"])
def test_what_is_no_refresh_token_is_refused(grant, sign_in, alice, what):
    pair = sign_in(alice)
    shown = {"access": pair["access_token"], "damaged": pair["refresh_token"][:-4] + "AAAA", "text": "x"}[what]
    answer = grant(grant_type="refresh_token", refresh_token=shown)
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_token"


def test_a_robot_gets_a_long_token_for_its_secret(grant, bearing, root):
    robot = actions.create_robot(root, client_id="deployer", secret=SECRET)
    form = {"grant_type": "client_credentials", "client_id": "deployer", "client_secret": SECRET}
    body = grant({}, **form).json()
    claims = said(body["access_token"])
    assert "user_name" not in claims and claims["client_id"] == claims["sub"] == robot.guid
    assert claims["exp"] - claims["iat"] == 12 * 3600 and "refresh_token" not in body
    assert bearing(body["access_token"]).get("/v3/organizations").status_code == 200
    basic = {"Authorization": "Basic " + base64.b64encode(f"deployer:{SECRET}".encode()).decode()}
    assert grant(basic, **form).status_code == 200
    assert grant({}, **{**form, "client_secret": "wrong"}).json()["error"] == "unauthorized"
    User.objects.filter(pk=robot.pk).update(is_active=False)
    assert grant({}, **form).status_code == 401


def test_a_narrower_scope_may_be_asked_for_and_holds(grant, bearing, alice):
    form = {"grant_type": "password", "username": alice.username, "password": PASSWORD}
    token = grant(scope="cloud_controller.read", **form).json()["access_token"]
    assert bearing(token).get("/v3/organizations").status_code == 200
    assert bearing(token).post("/v3/organizations", {"name": "x"}).status_code == 403
    assert grant(scope="uaa.admin", **form).status_code == 400


def test_logging_out_takes_both_tokens_back(grant, sign_in, bearing, alice):
    pair = sign_in(alice)
    caller = bearing(pair["access_token"])
    assert caller.delete(f"/uaa/oauth/token/revoke/{said(pair['refresh_token'])['jti']}").status_code == 200
    assert caller.delete(f"/uaa/oauth/token/revoke/{pair['jti']}").status_code == 200
    refused = caller.get("/v3/organizations")
    assert refused.status_code == 401 and refused.json()["errors"][0]["title"] == "CF-InvalidAuthToken"
    assert grant(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code == 401


def test_nobody_revokes_another_persons_token(sign_in, calling, alice, bob):
    jti = sign_in(alice)["jti"]
    assert calling(bob).delete(f"/uaa/oauth/token/revoke/{jti}").status_code == 403
    assert calling(bob).delete("/uaa/oauth/token/revoke/unknown").status_code == 404
    assert AccessToken.objects.filter(user=alice).exists()


def test_old_tokens_leave_nothing_behind(sign_in, alice):
    sign_in(alice)
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    RefreshToken.objects.update(created=timezone.now() - timedelta(hours=21))
    sign_in(alice)
    assert AccessToken.objects.count() == RefreshToken.objects.count() == 1


def test_the_signing_key_rotates_and_a_key_that_is_gone_signs_nobody_in(sign_in, bearing, alice, settings):
    token = sign_in(alice)["access_token"]
    old, new = settings.PAAS_SECRET_KEYS[0], "n" * 40
    assert jwt.get_unverified_header(token)["kid"] == key_id(old)
    with override_settings(PAAS_SECRET_KEYS=[new, old]):
        assert bearing(token).get("/v3/organizations").status_code == 200
        assert jwt.get_unverified_header(sign_in(alice)["access_token"])["kid"] == key_id(new)
    with override_settings(PAAS_SECRET_KEYS=[new]):
        assert bearing(token).get("/v3/organizations").status_code == 401


def test_another_algorithm_is_not_believed(alice, sign_in):
    claims = tokens.claims_of(sign_in(alice)["access_token"])
    for text in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "x" * 32, algorithm="HS256")):
        with pytest.raises(InvalidAuthToken):
            tokens.claims_of(text)


def test_without_redis_nobody_is_let_in_by_guessing_and_who_is_in_goes_on(
    grant, browser, sign_in, bearing, alice, settings
):
    token = sign_in(alice)["access_token"]
    away = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    with override_settings(CACHES=away):
        answer = grant(grant_type="password", username=alice.username, password=PASSWORD)
        assert answer.status_code == 503 and "Redis does not answer" in answer.json()["error_description"]
        page = browser().post("/accounts/login/", {"login": alice.username, "password": PASSWORD})
        assert page.status_code == 503 and "Redis does not answer" in page.content.decode()
        assert bearing(token).get("/v3/organizations").status_code == 200
