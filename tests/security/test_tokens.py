"""What an attacker tries with tokens: another's keys, forged ones of robots, and one organization's token at another."""

from __future__ import annotations

import base64

import jwt
import pytest

from accounts import tokens
from accounts.models import ApiToken, User
from paas.lib.crypto import key_id
from tenants.actions import robot as robots
from tenants.actions import robot_key as keys
from tenants.actions import token as api_tokens


@pytest.fixture
def robot(dora, space):
    return robots.create(dora, space.organization, name="deploy")


@pytest.fixture
def pair(dora, robot):
    return keys.create(dora, robot, name="ci")


@pytest.fixture
def access_token(grant, robot, pair):
    form = {"grant_type": "client_credentials", "client_id": robot.guid, "client_secret": pair[1]}
    return grant({}, **form).json()["access_token"]


def signed(claims, settings, **headers):
    own = settings.PAAS_SECRET_KEYS[0]
    return jwt.encode(claims, tokens._signing_key(own), algorithm="HS256", headers={"kid": key_id(own), **headers})


def test_a_robots_token_cannot_be_told_another_key_or_none(bearing, dora, robot, pair, access_token, settings):
    claims = jwt.decode(access_token, options={"verify_signature": False})
    assert claims["key"] == pair[0].guid and "user_name" not in claims
    for token in (
        jwt.encode(claims, None, algorithm="none", headers={"kid": key_id(settings.PAAS_SECRET_KEYS[0])}),
        jwt.encode({**claims, "sub": dora.guid}, "x" * 32, algorithm="HS256"),
        signed({**claims, "key": "another"}, settings),
        signed({**claims, "key": ""}, settings),
    ):
        assert bearing(token).get("/v3/organizations").status_code == 401
    assert bearing(access_token).get("/v3/organizations").status_code == 200


def test_a_token_of_one_organization_sees_and_does_nothing_at_another(
    bearing, charlie, other_space, space, root, robot, pair, access_token
):
    there = other_space.organization
    made = robots.create(root, there, name="theirs")
    their_key, _ = keys.create(root, made, name="ci")
    for caller in (bearing(access_token), bearing(api_tokens.create(charlie, name="x")[1])):
        place = there if caller.get(f"/v3/organizations/{there.guid}").status_code == 404 else space.organization
        victim, key = (made, their_key) if place == there else (robot, pair[0])
        assert caller.get(f"/v3/organizations/{place.guid}").status_code == 404
        assert caller.get(f"/v3/robots/{victim.guid}").status_code == 404
        assert caller.patch(f"/v3/robots/{victim.guid}", {"name": "mine"}).status_code == 404
        assert caller.delete(f"/v3/robots/{victim.guid}").status_code == 404
        assert caller.post(f"/v3/robots/{victim.guid}/keys", {"name": "x"}).status_code == 404
        assert caller.delete(f"/v3/robots/{victim.guid}/keys/{key.guid}").status_code == 404
        assert caller.get(f"/v3/users/{victim.guid}").status_code == 404
        new = {"name": "x", "relationships": {"organization": {"data": {"guid": place.guid}}}}
        for collection in ("robots", "spaces"):
            assert caller.post(f"/v3/{collection}", new).status_code == 422


def test_ids_swapped_between_organizations_lead_nowhere(api, browser, dora, root, other_space, robot, pair):
    other = robots.create(root, other_space.organization, name="theirs")
    theirs, _ = keys.create(root, other, name="ci")
    for path in (f"/v3/robots/{robot.guid}/keys/{theirs.guid}", f"/v3/robots/{other.guid}/keys/{pair[0].guid}"):
        assert api(dora).get(path).status_code == api(dora).delete(path).status_code == 404
        assert api(dora).post(f"{path}/actions/rotate", {}).status_code == 404
    for path in (f"/robots/{robot.guid}/keys/{theirs.guid}/revoke", f"/robots/{other.guid}/delete"):
        assert browser(dora).post(path).status_code == 404
    assert User.objects.filter(guid=other.guid).exists() and other.user.keys.exists()


@pytest.mark.parametrize("field", ["verbs", "digest", "user", "last_used_at", "authority", "token"])
def test_a_token_is_made_of_what_may_be_said_of_it(api, alice, field):
    answer = api(alice).post("/v3/access_tokens", {"name": "x", field: "x"})
    assert answer.status_code == 422 and f"Unknown field(s): '{field}'" in answer.json()["errors"][0]["detail"]


def test_a_form_gives_no_more_than_it_asks_for(browser, dora, charlie, other_space, space):
    extra = {"platform_role": "admin", "kind": "person", "is_active": "", "guid": "cf", "username": "root"}
    form = {"name": "deploy", "spaces": [other_space.guid], **extra}
    refused = browser(dora).post(f"/orgs/{space.organization.guid}/robots/new", form)
    assert refused.status_code == 200 and not User.objects.filter(kind="robot").exists()
    browser(dora).post(f"/orgs/{space.organization.guid}/robots/new", {"name": "deploy", **extra})
    made = User.objects.get(kind="robot")
    assert (made.platform_role, made.is_active) == ("", True) and made.guid.startswith("deploy-")
    browser(dora).post(f"/robots/{made.guid}/settings", {"name": "deploy", "caretaker": charlie.guid, **extra})
    made.refresh_from_db()
    assert (made.platform_role, made.robot.caretaker) == ("", dora) and made.username == made.guid
    more = {"name": "t", "days": "30", "may": "read", "verbs": "space.create", "scope": "cloud_controller.write"}
    browser(charlie).post("/account/tokens/new", {**more, "user": dora.guid})
    assert ApiToken.objects.get().user == charlie and ApiToken.objects.get().scope == "cloud_controller.read"


def test_a_key_is_guessed_no_more_than_a_password(grant, robot, pair):
    wrong = {"grant_type": "client_credentials", "client_id": robot.guid, "client_secret": "slk_" + "x" * 43}
    for _ in range(5):
        assert grant({}, **wrong).json()["error_description"] == "Bad credentials"
    assert "locked" in grant({}, **{**wrong, "client_secret": pair[1]}).json()["error_description"]
    assert grant({}, **{**wrong, "client_secret": pair[1]}, elsewhere="192.0.2.9").status_code == 200


def test_a_robot_signs_in_at_no_other_door(grant, browser, robot, pair):
    assert grant(grant_type="password", username=robot.guid, password=pair[1]).status_code == 401
    form = {"grant_type": "password", "username": robot.guid, "password": pair[1]}
    credentials = base64.b64encode(f"{robot.guid}:{pair[1]}".encode()).decode()
    assert grant({"Authorization": f"Basic {credentials}"}, **form).status_code in (400, 401)
    browser().post("/accounts/login/", {"login": robot.guid, "password": pair[1]}, REMOTE_ADDR="192.0.2.10")
    assert browser().get("/account").status_code == 302
