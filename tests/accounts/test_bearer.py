"""What the API takes as proof of who calls: bearer tokens, and never a browser's session."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts import tokens
from accounts.models import ApiToken


def error_of(answer) -> tuple[int, int, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["code"], error["title"]


def test_no_token_is_not_authenticated(client):
    assert error_of(client.get("/v3/organizations")) == (401, 10002, "CF-NotAuthenticated")


@pytest.mark.parametrize(
    "header", ["bearer x", "bearer ", "Bearer a.b.c", "bearer slw_unknown", "bearer \xff.\xff.\xff"]
)
def test_what_is_no_token_is_invalid(client, header):
    answer = client.get("/v3/organizations", headers={"Authorization": header})
    assert error_of(answer) == (401, 1000, "CF-InvalidAuthToken")


def test_the_scheme_may_be_written_in_any_case(sign_in, bearing, alice):
    token = sign_in(alice)["access_token"]
    for scheme in ("bearer", "Bearer", "BEARER"):
        assert bearing(token, scheme).get("/v3/organizations").status_code == 200


def test_a_token_that_ran_out_or_was_revoked_is_invalid(sign_in, bearing, alice):
    token = sign_in(alice)["access_token"]
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert error_of(bearing(token).get("/v3/organizations")) == (401, 1000, "CF-InvalidAuthToken")
    AccessToken.objects.all().delete()
    assert error_of(bearing(token).get("/v3/organizations")) == (401, 1000, "CF-InvalidAuthToken")


def test_a_refresh_token_opens_nothing(sign_in, bearing, alice):
    assert bearing(sign_in(alice)["refresh_token"]).get("/v3/organizations").status_code == 401


@pytest.mark.parametrize(
    "path", ["/v3/organizations", "/v3/users", "/v3/access_tokens", "/uaa/Users", "/v3/audit_events"]
)
def test_a_browsers_session_opens_no_api(browser, root, path):
    signed_in: Client = browser(root)
    assert signed_in.get("/account").status_code == 200
    assert signed_in.get(path).status_code == 401
    assert signed_in.post(path, {}, content_type="application/json").status_code in (401, 404)


def test_no_api_asks_for_a_csrf_token(sign_in, alice):
    strict = Client(enforce_csrf_checks=True)
    token = sign_in(alice)["access_token"]
    answer = strict.post(
        "/v3/access_tokens",
        {"name": "x"},
        content_type="application/json",
        headers={"Authorization": f"bearer {token}"},
    )
    assert answer.status_code == 201
    assert strict.post("/uaa/oauth/token", {"grant_type": "password"}).status_code == 400


def test_an_api_token_is_as_good_until_it_ends(bearing, alice):
    text = tokens.new_api_token()
    token = ApiToken.objects.create(
        user=alice,
        name="x",
        digest=tokens.digest(text),
        scope=tokens.READ,
        expires_at=timezone.now() + timedelta(days=1),
    )
    assert bearing(text).get("/v3/organizations").status_code == 200
    token.refresh_from_db()
    assert token.last_used_at
    assert error_of(bearing(text).post("/v3/organizations", {"name": "x"}))[0] == 403  # it may only read
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert bearing(text).get("/v3/organizations").status_code == 401


def test_checking_a_token_costs_one_query(sign_in, bearing, alice, django_assert_num_queries):
    caller = bearing(sign_in(alice)["access_token"])
    with django_assert_num_queries(2):  # the token with its person, and the count of the empty list
        caller.get("/v3/access_tokens")


def test_the_description_of_the_api_names_the_scheme(client):
    description = client.get("/v3/openapi.json", headers={"Accept": "application/json"})
    assert description.status_code == 200
    assert b"bearer" in description.content
