"""Where one is signed in: browsers and command lines with device, address and when they were seen; and ending them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sessions, tokens
from accounts.models import AuditEvent, UserSession
from paas.lib.errors import InvalidAuthToken
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def test_the_page_tells_device_address_and_when(browser, grant, address, alice):
    page = browser()
    page.defaults["HTTP_USER_AGENT"] = FIREFOX
    sign_in(page, alice, address=address)
    grant(grant_type="password", username=alice.username, password=PASSWORD)
    shown = page.get("/account/sessions").content.decode()
    assert "Firefox on Linux" in shown and "Command line" in shown and shown.count(f">{address}<") == 2
    assert shown.count("This one") == 1 and "End all the others" in shown


def test_a_browser_that_is_ended_is_signed_out_at_once(browser, alice):
    here, there = browser(alice), browser(alice)
    row = UserSession.objects.get(guid=there.session[sessions.KEY])
    assert here.post(f"/account/sessions/{row.guid}/end").status_code == 302
    assert there.get("/account").status_code == 302 and here.get("/account").status_code == 200
    assert AuditEvent.objects.get(type="audit.user.session-end").data["client"] == "browser"
    assert here.post(f"/account/sessions/{row.guid}/end").status_code == 404


def test_a_command_line_that_is_ended_is_out_at_once(browser, grant, sign_in, bearing, alice):
    first = sign_in(alice)
    both = grant(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    row = UserSession.objects.get(client="command_line")
    browser(alice).post(f"/account/sessions/{row.guid}/end")
    for token in (first, both):
        with pytest.raises(InvalidAuthToken):
            tokens.holder(token["access_token"])
        assert grant(grant_type="refresh_token", refresh_token=token["refresh_token"]).status_code == 401


def test_all_the_others_end_together(browser, sign_in, bearing, alice, bob):
    here, there, his = browser(alice), browser(alice), browser(bob)
    token = sign_in(alice)["access_token"]
    answer = here.post("/account/sessions/end", follow=True)
    assert "The 2 other sessions have ended." in answer.content.decode()
    assert there.get("/account").status_code == 302 and his.get("/account").status_code == 200
    assert bearing(token).get("/v3/apps").status_code == 401
    assert here.get("/account").status_code == 200
    assert "no other sessions" in here.post("/account/sessions/end", follow=True).content.decode()


def test_nobody_ends_anothers(browser, calling, alice, bob):
    his = browser(bob)
    row = UserSession.objects.get(user=bob)
    assert browser(alice).post(f"/account/sessions/{row.guid}/end").status_code == 404
    assert calling(alice).delete(f"/v3/sessions/{row.guid}").status_code == 404
    assert calling(alice).post(f"/v3/users/{bob.guid}/actions/end_sessions").status_code == 404
    assert his.get("/account").status_code == 200


def test_the_api_lists_and_ends_them(browser, calling, alice):
    page, api = browser(alice), calling(alice)
    found = api.get("/v3/sessions?order_by=-seen_at").json()["resources"]
    assert {each["client"] for each in found} == {"browser", "command_line"}
    assert all(each["relationships"]["user"]["data"]["guid"] == alice.guid for each in found)
    browsers = next(each for each in found if each["client"] == "browser")
    assert api.get(f"/v3/sessions/{browsers['guid']}").json() == browsers
    assert api.delete(f"/v3/sessions/{browsers['guid']}").status_code == 204
    assert page.get("/account").status_code == 302
    assert api.post(f"/v3/users/{alice.guid}/actions/end_sessions").json() == {"ended": 1}
    assert api.get("/v3/sessions").status_code == 401


def test_an_admin_ends_all_of_somebody(browser, calling, root, alice):
    page = browser(alice)
    assert calling(root).post(f"/v3/users/{alice.guid}/actions/end_sessions").json() == {"ended": 1}
    assert page.get("/account").status_code == 302
    event = AuditEvent.objects.get(type="audit.user.sessions-end")
    assert (event.actor_guid, event.target_guid) == (root.guid, alice.guid)


def test_signing_out_ends_the_row_too(browser, grant, bearing, sign_in, alice):
    page = browser(alice)
    page.post("/accounts/logout/")
    both = sign_in(alice)
    jti = tokens.claims_of(both["refresh_token"])["jti"]
    assert bearing(both["access_token"]).delete(f"/uaa/oauth/token/revoke/{jti}").status_code == 200
    assert not UserSession.objects.filter(user=alice).exists()


def test_when_it_was_seen_is_kept_to_the_minute(browser, alice):
    page = browser(alice)
    row = UserSession.objects.filter(user=alice)
    before = row.get().seen_at
    page.get("/account", REMOTE_ADDR="192.0.2.5")
    assert row.get().seen_at == before
    row.update(seen_at=timezone.now() - timedelta(minutes=5))
    page.get("/account", REMOTE_ADDR="192.0.2.5")
    assert row.get().seen_at > before and row.get().address == "192.0.2.5"


def test_a_new_password_ends_the_others_and_keeps_this_one(browser, alice):
    page, other = browser(alice), browser(alice)
    page.post("/account/password", {"old": PASSWORD, "new": "another good password", "again": "another good password"})
    assert other.get("/account").status_code == 302 and page.get("/account/sessions").status_code == 200
    assert UserSession.objects.filter(user=alice).count() == 1
