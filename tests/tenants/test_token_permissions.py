"""API tokens that carry some of their person's permissions: authority is what both have, at the time and at every door."""

from __future__ import annotations

import re

import pytest

from accounts.models import ApiToken, AuditEvent
from tenants import access
from tenants.actions import token as tokens
from tenants.models import OrganizationRole
from tenants.permissions import READING, SECRETS
from tests.accounts.conftest import address, bearing, browser, calling, grant, oauth_client, sign_in

__all__ = ["address", "bearing", "browser", "calling", "grant", "oauth_client", "sign_in"]


@pytest.fixture
def narrowed(bearing):
    """A client with a token of the person that carries these permissions."""
    return lambda person, *permissions: bearing(tokens.create(person, name="ci", permissions=permissions)[1])


def new_space(org):
    return {"name": "annex", "relationships": {"organization": {"data": {"guid": org.guid}}}}


def test_it_does_what_it_carries_and_nothing_else(narrowed, dora, org, space):
    caller = narrowed(dora, "organization.view", "space.view", "space.create")
    assert caller.post("/v3/spaces", new_space(org)).status_code == 201
    assert caller.patch(f"/v3/spaces/{space.guid}", {"name": "other"}).status_code == 403
    assert caller.delete(f"/v3/spaces/{space.guid}").status_code == 403
    assert AuditEvent.objects.get(type="audit.space.create").via == "token ci"


def test_what_it_may_not_see_is_not_there(narrowed, dora, org, space):
    caller = narrowed(dora, "organization.view")
    assert caller.get("/v3/spaces").json()["resources"] == []
    assert caller.get(f"/v3/spaces/{space.guid}").status_code == 404
    assert len(caller.get("/v3/organizations").json()["resources"]) == 1


def test_it_loses_what_its_person_loses(narrowed, dora, org):
    caller = narrowed(dora, "organization.view", "space.create")
    OrganizationRole.objects.filter(user=dora, permission__codename="organization_manager").delete()
    assert caller.post("/v3/spaces", new_space(org)).status_code == 403


def test_it_gains_nothing_that_its_person_gains(narrowed, alice, root, org, space):
    caller = narrowed(alice, "organization.view", "space.view", "app.view")
    access.give(alice, "organization_manager", org, by=root)
    assert caller.post("/v3/spaces", new_space(org)).status_code == 403


def test_an_admins_token_is_no_more_than_it_carries(narrowed, root, org, other_space, alice):
    caller = narrowed(root, "organization.view", "space.view")
    assert len(caller.get("/v3/spaces").json()["resources"]) == 2
    assert caller.post("/v3/organizations", {"name": "x"}).status_code == 403
    for path in ("/uaa/Users", f"/uaa/Users/{alice.guid}", "/v3/app_usage_events"):
        answer = caller.get(path)
        assert answer.status_code == 403 or answer.json()["resources"] == [], path


def test_one_that_only_reads_has_the_scope_to(calling, bearing, dora):
    made = calling(dora).post("/v3/access_tokens", {"name": "reader", "permissions": ["organization.view"]}).json()
    assert (made["scope"], made["permissions"]) == ("cloud_controller.read", ["organization.view"])
    assert bearing(made["token"]).post("/v3/resource_matches", {"resources": []}).status_code == 403


@pytest.mark.parametrize(
    ("permissions", "told"),
    [
        ([], "at least one permission"),
        (["app.fly"], "There is no permission 'app.fly'"),
        (["space.create"], "You do not hold the permission 'space.create'"),
        (["robot.manage"], "No token carries the permission 'robot.manage'"),
        (["platform.manage"], "You do not hold"),
    ],
)
def test_only_what_one_holds_can_be_chosen(calling, alice, permissions, told):
    answer = calling(alice).post("/v3/access_tokens", {"name": "ci", "permissions": permissions})
    assert answer.status_code == 422 and told in answer.json()["errors"][0]["detail"]
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("permissions", [None, ["organization.view", "member.manage"]], ids=["all", "some"])
def test_no_token_makes_a_way_in(bearing, dora, robot_key, permissions):
    robot, key = robot_key
    caller = bearing(tokens.create(dora, name="ci", permissions=permissions)[1])
    there = {"organization": {"data": {"guid": robot.organization.guid}}}
    assert caller.post("/v3/access_tokens", {"name": "more"}).status_code == 403
    assert caller.post("/v3/robots", {"name": "more", "relationships": there}).status_code == 403
    assert caller.post(f"/v3/robots/{robot.guid}/keys", {"name": "more"}).status_code == 403
    assert caller.post(f"/v3/robots/{robot.guid}/keys/{key.guid}/actions/rotate", {}).status_code == 403
    assert caller.put(f"/uaa/Users/{dora.guid}/password", {"password": "a brand new password"}).status_code == 403


@pytest.fixture
def robot_key(dora, org):
    from tenants.actions import robot, robot_key

    made = robot.create(dora, org, name="deploy")
    return made, robot_key.create(dora, made, name="ci")[0]


def test_a_token_grants_no_role_beyond_what_it_carries(narrowed, dora, alice, org):
    caller = narrowed(dora, "organization.view", "member.manage")
    role = {"type": "organization_manager", "relationships": {"user": {"data": {"guid": alice.guid}}}}
    role["relationships"]["organization"] = {"data": {"guid": org.guid}}
    assert caller.post("/v3/roles", role).status_code == 403


def test_presets_give_what_there_is_of_them(browser, alice, bob):
    for name, may in (("reads", "read"), ("pushes", "push")):
        browser(alice).post("/account/tokens/new", {"name": name, "days": "30", "may": may})
    reads, pushes = ApiToken.objects.get(name="reads"), ApiToken.objects.get(name="pushes")
    assert set(reads.verbs) <= READING - SECRETS and reads.scope == "cloud_controller.read"
    assert set(pushes.verbs) == tokens.PUSH
    browser(bob).post("/account/tokens/new", {"name": "pushes", "days": "30", "may": "push"})
    assert "app.push" not in ApiToken.objects.get(user=bob).verbs


def test_the_page_offers_what_one_holds_by_what_it_is_about(browser, alice, dora):
    def offered(person):
        page = browser(person).get("/account/tokens/new").content.decode()
        return set(re.findall(r'name="permissions" value="([^"]+)"', page))

    assert "app.push" in offered(alice) and "space.create" not in offered(alice)
    assert "space.create" in offered(dora) and "robot.manage" not in offered(dora)


def test_last_use_is_kept_with_the_address(bearing, alice):
    _, text = tokens.create(alice, name="ci", permissions=["organization.view"])
    bearing(text).get("/v3/organizations", REMOTE_ADDR="203.0.113.7")
    assert ApiToken.objects.get().last_used_address == "203.0.113.7"
