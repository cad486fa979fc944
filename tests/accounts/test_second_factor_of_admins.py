"""The platform's own rule: its admins have a second factor, or see nothing but what leads to one."""

from __future__ import annotations

import pytest

from accounts import actions, tokens
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app, sign_in


@pytest.fixture(autouse=True)
def required(settings):
    settings.PAAS_ADMIN_SECOND_FACTOR = "required"


def test_an_admin_without_one_is_led_to_it_and_to_nothing_else(browser, address, root, org):
    page = browser()
    assert sign_in(page, root, address=address, next="/docs").headers["Location"] == "/account/ways?next=%2Fdocs"
    told = page.get("/account/ways").content.decode()
    assert "You need a second factor for the platform admins of" in told
    for path in ("/", f"/orgs/{org.guid}", "/account", "/account/sessions", "/uaa/passcode", f"/people/{root.guid}"):
        assert page.get(path).headers["Location"].startswith("/account/ways"), path
    assert page.post(f"/orgs/{org.guid}/suspend").headers["Location"] == "/account/ways?next=%2F"
    org.refresh_from_db()
    assert not org.suspended
    assert page.get("/account/ways/app/add").status_code == 200
    assert page.post("/accounts/logout/").status_code == 302


def test_with_one_everything_is_there(browser, address, root):
    app, page = give_app(root), browser()
    sign_in(page, root, address=address)
    assert page.post("/accounts/login/code", {"code": app.code()}).headers["Location"] == "/"
    assert page.get("/").status_code == 200


def test_the_api_says_why_it_refuses(bearing, grant, root):
    _, text = actions.create_api_token(root, name="script")
    refused = bearing(text).get("/v3/organizations")
    assert refused.status_code == 403 and "second factor" in refused.json()["errors"][0]["detail"]
    assert grant(grant_type="password", username=root.username, password=PASSWORD).status_code == 409
    give_app(root)
    assert bearing(text).get("/v3/organizations").status_code == 200


def test_the_last_one_cannot_be_removed(browser, address, root):
    app, page = give_app(root), browser()
    sign_in(page, root, address=address)
    page.post("/accounts/login/code", {"code": app.code()})
    assert "you must have one" in page.get("/account/ways/app/remove").content.decode()
    assert page.post("/account/ways/app/remove").status_code == 200
    assert root.authenticator_set.count() == 1


def test_the_platforms_own_errands_go_on(bearing, root):
    assert bearing(tokens.issue(root, seconds=60)).get("/v3/organizations").status_code == 200


def test_it_is_about_nobody_else(browser, grant, address, alice):
    page = browser()
    assert sign_in(page, alice, address=address).headers["Location"] == "/"
    assert grant(grant_type="password", username=alice.username, password=PASSWORD).status_code == 200
