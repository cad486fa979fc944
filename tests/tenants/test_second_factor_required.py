"""An organization that requires a second factor: whoever has none sees nothing of it, at any door, until they have."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts import actions as accounts
from accounts import tokens
from accounts.models import AuditEvent
from tenants.models import Organization, Space
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import give_app, sign_in


@pytest.fixture
def strict(org: Organization) -> Organization:
    Organization.objects.filter(pk=org.pk).update(second_factor_required=True)
    org.refresh_from_db()
    return org


@pytest.fixture
def page() -> Callable[..., Client]:
    def client(user=None) -> Client:
        made = Client(HTTP_ACCEPT="text/html")
        if user is not None:
            made.force_login(user)
        return made

    return client


def door(org):
    return f"/v3/organizations/{org.guid}/second_factor"


def test_a_manager_who_has_one_requires_it_of_everybody(api, dora, org):
    give_app(dora)
    assert api(dora).get(door(org)).json()["required"] is False
    for _ in range(2):  # twice is harmless
        assert api(dora).patch(door(org), {"required": True}).json()["required"] is True
    event = AuditEvent.objects.filter(type="audit.organization.update").latest("id")
    assert event.actor_guid == dora.guid and event.organization_guid == org.guid
    assert api(dora).patch(door(org), {"required": False}).json()["required"] is False


def test_nobody_shuts_themselves_out(api, dora, org):
    refused = api(dora).patch(door(org), {"required": True})
    assert refused.status_code == 422 and "your own account first" in refused.json()["errors"][0]["detail"]
    assert api(dora).patch(door(org), {"required": "maybe"}).status_code == 422


def test_the_auditor_may_not_and_the_stranger_sees_nothing(api, bob, charlie, org):
    assert api(bob).patch(door(org), {"required": True}).status_code == 403
    assert api(charlie).patch(door(org), {"required": True}).status_code == 404


def test_without_one_the_api_shows_nothing_of_it(api, alice, strict, space):
    caller = api(alice)
    for path in ("organizations", "spaces"):
        assert caller.get(f"/v3/{path}").json()["pagination"]["total_results"] == 0
    for path in (f"organizations/{strict.guid}", f"spaces/{space.guid}"):
        assert caller.get(f"/v3/{path}").status_code == 404
    give_app(alice)
    assert caller.get(f"/v3/organizations/{strict.guid}").status_code == 200
    assert caller.get("/v3/spaces").json()["pagination"]["total_results"] == 1


def test_visible_and_allowed_are_the_same(alice, strict, space):
    from tenants import access

    for has in (False, True):
        if has:
            give_app(alice)
        assert access.may(alice, "space.view", space) is has
        assert Space.objects.visible_to(alice).filter(pk=space.pk).exists() is has
        assert ("app.push" in access.verbs_held(alice, space)) is has


def test_a_token_from_before_loses_sight_of_it_too(strict, alice, space):
    _, text = accounts.create_api_token(alice, name="script")
    caller = Client(HTTP_AUTHORIZATION=f"bearer {text}")
    assert caller.get(f"/v3/spaces/{space.guid}").status_code == 404
    give_app(alice)
    assert caller.get(f"/v3/spaces/{space.guid}").status_code == 200
    assert tokens.holder(text).user == alice


def test_who_signs_in_is_led_to_adding_one(page, strict, alice):
    window = page()
    answer = sign_in(window, alice, address=f"2001:db8:7::{alice.pk:x}")
    assert answer.headers["Location"] == "/account/ways?next=%2F"
    assert f"You need a second factor for {strict.name}" in window.get("/account/ways").content.decode()
    home = window.get("/").content.decode()
    assert f"/orgs/{strict.guid}" not in home and "second factor" in home
    assert window.get(f"/orgs/{strict.guid}").status_code == 404
    assert window.get("/uaa/passcode").headers["Location"].startswith("/account/ways")
    give_app(alice)
    assert window.get(f"/orgs/{strict.guid}").status_code == 200


def test_its_command_lines_sign_in_with_a_passcode(client, strict, alice):
    accounts.ensure_oauth_client()
    form = urlencode({"grant_type": "password", "username": alice.username, "password": PASSWORD})
    kind = "application/x-www-form-urlencoded"
    answer = client.post("/uaa/oauth/token", form, content_type=kind, headers={"Authorization": "Basic Y2Y6"})
    assert answer.status_code == 409 and "cf login --sso" in answer.json()["error_description"]


def test_another_organization_is_not_concerned(api, page, strict, charlie, other_space):
    assert api(charlie).get(f"/v3/spaces/{other_space.guid}").status_code == 200
    assert sign_in(page(), charlie, address=f"2001:db8:7::{charlie.pk:x}").headers["Location"] == "/"


def test_the_page_names_whom_it_would_shut_out(page, dora, alice, bob, org):
    window, path = page(dora), f"/orgs/{org.guid}/second-factor"
    shown = window.get(path).content.decode()
    assert "3 people have none" in shown and alice.username in shown
    assert "your own account first" in window.post(path, {"required": "yes"}).content.decode()
    give_app(dora)
    assert window.post(path, {"required": "yes"}).headers["Location"] == f"/orgs/{org.guid}/settings"
    assert "Everybody here needs one" in window.get(f"/orgs/{org.guid}/settings").content.decode()
    assert page(bob).get(path).status_code == 404
