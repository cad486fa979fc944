"""API tokens: made by their person, shown once, ended by date or by hand; through the API and the console."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import actions
from accounts.models import ApiToken, AuditEvent
from paas.lib.errors import NotAuthorized, Unprocessable


def test_it_is_made_used_and_revoked_through_the_api(calling, bearing, alice):
    caller = calling(alice)
    made = caller.post("/v3/access_tokens", {"name": "backup"})
    assert made.status_code == 201
    text = made.json()["token"]
    assert text.startswith("slw_") and len(text) > 40
    days = (ApiToken.objects.get().expires_at - timezone.now()) / timedelta(days=1)
    assert 89 < days <= 90
    assert bearing(text).get("/v3/organizations").status_code == 200
    listed = caller.get("/v3/access_tokens").json()["resources"]
    assert [token["name"] for token in listed] == ["backup"] and "token" not in listed[0]
    assert caller.delete(f"/v3/access_tokens/{made.json()['guid']}").status_code == 204
    assert caller.delete(f"/v3/access_tokens/{made.json()['guid']}").status_code == 404  # twice
    assert bearing(text).get("/v3/organizations").status_code == 401


def test_only_its_hash_is_kept_and_the_record_is_without_it(calling, alice):
    text = calling(alice).post("/v3/access_tokens", {"name": "backup"}).json()["token"]
    assert text not in str(ApiToken.objects.values().get())
    made = AuditEvent.objects.get(type="audit.access_token.create")
    assert made.target_name == "backup" and text not in str(made.data)


def test_nobody_sees_or_revokes_another_persons_token(api, alice, bob, charlie):
    token, _ = actions.create_api_token(alice, name="backup")
    for caller in (bob, charlie):
        assert api(caller).get("/v3/access_tokens").json()["resources"] == []
        assert api(caller).delete(f"/v3/access_tokens/{token.guid}").status_code == 404
        with pytest.raises(NotAuthorized):
            actions.revoke_api_token(caller, token)


def test_an_admin_may_take_anybodys_token_back(alice, root):
    token, _ = actions.create_api_token(alice, name="backup")
    actions.revoke_api_token(root, token)
    assert AuditEvent.objects.get(type="audit.access_token.delete").actor_guid == root.guid


def test_a_token_makes_no_further_tokens(bearing, alice):
    _, text = actions.create_api_token(alice, name="backup")
    assert bearing(text).post("/v3/access_tokens", {"name": "another"}).status_code == 403


@pytest.mark.parametrize(
    "wrong", [{"days": -1}, {"days": 400}, {"scope": "everything"}, {"name": "BACKUP"}], ids=lambda wrong: str(wrong)
)
def test_what_cannot_be_is_refused_with_a_sentence(alice, wrong):
    actions.create_api_token(alice, name="backup")
    asked = {"name": "other"} | wrong
    if days := asked.pop("days", None):
        asked["expires_at"] = timezone.now() + timedelta(days=days)
    with pytest.raises(Unprocessable):
        actions.create_api_token(alice, **asked)


def test_unknown_fields_are_refused(calling, alice):
    answer = calling(alice).post("/v3/access_tokens", {"name": "x", "user": "root"})
    assert answer.status_code == 422 and "Unknown field(s): 'user'" in answer.json()["errors"][0]["detail"]


def test_the_console_shows_a_new_token_once(browser, bearing, alice):
    page = browser(alice)
    made = page.post("/account/tokens/new", {"name": "backup", "days": "30", "may": "read"})
    text = re.search(r'id="token">([^<]+)<', made.content.decode())[1]
    assert bearing(text).get("/v3/organizations").status_code == 200
    assert bearing(text).post("/v3/organizations", {"name": "x"}).status_code == 403
    listed = page.get("/account/tokens").content.decode()
    assert "backup" in listed and text not in listed
    assert page.post(f"/account/tokens/{ApiToken.objects.get().guid}/revoke").status_code == 302
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": "", "may": "read"}, "Enter a name"),
        ({"name": "backup", "may": "read"}, "You have a token called"),
        ({"name": "x"}, "Choose what the token may do"),
        ({"name": "x", "may": "chosen"}, "Choose at least one permission"),
        ({"name": "x", "may": "chosen", "permissions": ["robot.manage"]}, "Select a valid choice"),
    ],
)
def test_the_console_says_what_is_wrong_with_a_token(browser, alice, form, told):
    actions.create_api_token(alice, name="backup")
    assert told in browser(alice).post("/account/tokens/new", {"days": "30", **form}).content.decode()
    assert ApiToken.objects.count() == 1


def test_the_console_revokes_nobody_elses(browser, alice, bob):
    token, _ = actions.create_api_token(alice, name="backup")
    assert browser(bob).post(f"/account/tokens/{token.guid}/revoke").status_code == 404
    assert ApiToken.objects.exists()
