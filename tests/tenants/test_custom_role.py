"""An organization's own roles: made of named permissions, changed with their eyes open, deleted after asking."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, User
from paas.lib.queue import work
from tenants import access
from tenants.actions import custom_role as actions
from tenants.actions import organization as organizations
from tenants.actions import role as roles
from tenants.models import CustomRole, OrganizationRole, SpaceRole
from tests.conftest import make_user

pytestmark = pytest.mark.django_db


def body(org: Any, **fields: Any) -> dict[str, Any]:
    made = {"name": "restarter", "where": "space", "permissions": ["app.run"]}
    return {**made, **fields, "relationships": {"organization": {"data": {"guid": org.guid}}}}


@pytest.fixture
def restarter(dora: User, org: Any) -> CustomRole:
    return actions.create(dora, org, name="restarter", where="space", verbs=["app.run"])


def test_a_manager_makes_a_role_and_it_gives_just_that(api: Any, dora: Any, bob: Any, org: Any, space: Any) -> None:
    made = api(dora).post("/v3/custom_roles", body(org, description="Who is on call"))
    assert made.status_code == 201
    told = made.json()
    assert told["permissions"] == ["organization.view", "space.view", "app.run"]
    assert (told["where"], told["type"], told["description"]) == ("space", None, "Who is on call")
    SpaceRole.objects.filter(user=bob).delete()
    roles.give(dora, bob, role=told["guid"], place=space)
    assert access.verbs_held(bob, space) == {"organization.view", "space.view", "app.run"}
    assert api(bob).get(f"/v3/custom_roles/{told['guid']}").json()["name"] == "restarter"
    event = AuditEvent.objects.get(type="audit.custom_role.create")
    assert (event.target_name, event.organization_guid, event.actor_guid) == ("restarter", org.guid, dora.guid)


def test_one_for_the_organization_of_what_is_in_spaces_reaches_each_space(
    api: Any, dora: Any, bob: Any, org: Any, space: Any, make_space: Any
) -> None:
    made = api(dora).post("/v3/custom_roles", body(org, where="organization", permissions=["log.read"])).json()
    assert made["permissions"] == ["organization.view", "space.view", "log.read"]
    SpaceRole.objects.filter(user=bob).delete()
    OrganizationRole.objects.filter(user=bob).exclude(cf_type="organization_user").delete()
    roles.give(dora, bob, role=made["guid"], place=org)
    for place in (space, make_space(org, "second")):
        assert api(bob).get(f"/v3/spaces/{place.guid}").status_code == 200
    plain = api(dora).post("/v3/custom_roles", body(org, name="m", where="organization", permissions=["audit.read"]))
    assert plain.json()["permissions"] == ["organization.view", "audit.read"]


@pytest.mark.parametrize(("of", "where"), [("space_developer", "space"), ("organization_auditor", "organization")])
def test_a_copy_is_made_of_the_same(api: Any, dora: Any, org: Any, of: str, where: str) -> None:
    asked = body(org, name="like it", copy_of=of)
    del asked["where"], asked["permissions"]
    told = api(dora).post("/v3/custom_roles", asked).json()
    assert set(told["permissions"]) == access.verbs_of(of)
    assert (told["where"], told["type"]) == (where, of)
    again = api(dora).post("/v3/custom_roles", {**asked, "name": "like that", "copy_of": told["guid"]}).json()
    assert again["permissions"] == told["permissions"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "Restarter"}, "has a role called 'Restarter' already"),
        ({"name": "Space developer"}, "is a role of Cloud Foundry's"),
        ({"name": "b", "permissions": ["quota.manage"]}, "A role for spaces cannot be made of: quota.manage."),
        ({"name": "b", "permissions": ["platform.manage"]}, "cannot be made of: platform.manage."),
        ({"name": "b", "permissions": []}, "at least one permission"),
        ({"name": "b", "copy_of": "nothing"}, "There is no role 'nothing'"),
        ({"name": "b", "copy_of": "organization_user"}, "is for the same places"),
        ({"name": " "}, "Name can't be blank"),
        ({"name": "b", "verbs": []}, "Unknown field(s): 'verbs'"),
    ],
)
def test_what_is_no_role_is_told(
    api: Any, dora: Any, org: Any, restarter: CustomRole, wrong: dict[str, Any], sentence: str
) -> None:
    answer = api(dora).post("/v3/custom_roles", body(org, **wrong))
    assert answer.status_code == 422
    assert sentence in answer.json()["errors"][0]["detail"]
    assert CustomRole.objects.count() == 1


def test_others_make_change_and_delete_none(
    api: Any, alice: Any, bob: Any, charlie: Any, org: Any, restarter: CustomRole
) -> None:
    path = f"/v3/custom_roles/{restarter.guid}"
    for caller in (alice, bob):
        assert api(caller).post("/v3/custom_roles", body(org, name="b")).status_code == 403
        assert api(caller).patch(path, {"name": "b"}).status_code == 403
        assert api(caller).post(f"{path}/actions/preview", {"permissions": ["log.read"]}).status_code == 403
        assert api(caller).delete(path).status_code == 403
    stranger = api(charlie)
    assert stranger.post("/v3/custom_roles", body(org, name="b")).status_code == 422
    for call in (stranger.get, stranger.patch, stranger.delete):
        assert call(path).status_code == 404
    assert stranger.get("/v3/custom_roles").json()["resources"] == []


def test_who_makes_roles_by_a_custom_role_uses_only_what_they_hold(dora: Any, root: Any, org: Any, space: Any) -> None:
    keeper = actions.create(dora, org, name="keeper of roles", where="organization", verbs=["role.manage", "log.read"])
    erin = make_user("erin")
    roles.give(dora, erin, role="organization_user", place=org)
    roles.give(dora, erin, role=keeper.guid, place=org)
    made = actions.create(erin, org, name="reader", where="space", verbs=["log.read"])
    for verbs in (["app.push"], ["log.read", "app.push"]):
        with pytest.raises(actions.NotAuthorized):
            actions.create(erin, org, name="pusher", where="space", verbs=verbs)
        with pytest.raises(actions.NotAuthorized):
            actions.update(erin, made, verbs=verbs)
    with pytest.raises(actions.NotAuthorized):
        actions.update(erin, keeper, verbs=["role.manage", "member.manage"])
    pusher = actions.create(dora, org, name="pusher", where="space", verbs=["app.push"])
    for act in (lambda: actions.update(erin, pusher, verbs=["log.read"]), lambda: actions.delete(erin, pusher)):
        with pytest.raises(actions.NotAuthorized):
            act()


def test_a_change_counts_at_once_and_moves_what_the_grants_cover(
    api: Any, dora: Any, alice: Any, space: Any, restarter: CustomRole
) -> None:
    row = roles.give(dora, alice, role=restarter.guid, place=space)
    assert row.cf_type == ""
    wish = {"permissions": sorted(access.verbs_of("space_supporter")), "name": "on call"}
    assert api(dora).patch(f"/v3/custom_roles/{restarter.guid}", wish).status_code == 200
    row.refresh_from_db()
    assert row.cf_type == "space_supporter"
    assert "on call" in access.role_label(SpaceRole.objects.get(pk=row.pk).permission)
    listed = api(dora).get("/v3/roles", {"types": "space_supporter", "user_guids": alice.guid}).json()
    assert [each["guid"] for each in listed["resources"]] == [row.guid]
    event = AuditEvent.objects.get(type="audit.custom_role.update")
    assert event.data["changes"]["name"] == ["restarter", "on call"]
    before, after = event.data["changes"]["verbs"]
    assert "log.read" not in before and "log.read" in after
    api(dora).patch(f"/v3/custom_roles/{restarter.guid}", {"permissions": ["log.read"]})
    row.refresh_from_db()
    assert row.cf_type == ""


def test_the_preview_says_who_gains_and_who_loses_what(
    api: Any, dora: Any, alice: Any, bob: Any, space: Any, restarter: CustomRole
) -> None:
    for person in (alice, bob):
        roles.give(dora, person, role=restarter.guid, place=space)
    asked = {"permissions": ["app.scale", "log.read"]}
    told = api(dora).post(f"/v3/custom_roles/{restarter.guid}/actions/preview", asked).json()
    assert told["permissions"] == {"gained": ["app.scale", "log.read"], "lost": ["app.run"]}
    (affected,) = told["affected"]  # alice develops there, which gives her all of these anyhow
    assert affected["user"] == {"guid": bob.guid, "username": bob.username}
    assert affected["space"] == {"guid": space.guid, "name": "production"}
    assert (affected["gains"], affected["loses"]) == (["app.scale"], ["app.run"])
    changed = {**asked, "preview": told["preview"]}
    assert api(dora).patch(f"/v3/custom_roles/{restarter.guid}", changed).status_code == 200


@pytest.mark.parametrize("meanwhile", ["the role is changed", "somebody gets it", "a holder gets another role"])
def test_a_stale_preview_is_refused(
    api: Any, dora: Any, alice: Any, bob: Any, space: Any, restarter: CustomRole, meanwhile: str
) -> None:
    roles.give(dora, bob, role=restarter.guid, place=space)
    path, asked = f"/v3/custom_roles/{restarter.guid}", {"permissions": ["app.scale"]}
    mark = api(dora).post(f"{path}/actions/preview", asked).json()["preview"]
    if meanwhile == "the role is changed":
        actions.update(dora, restarter, verbs=["log.read"])
    else:
        person, role = (alice, restarter.guid) if meanwhile == "somebody gets it" else (bob, "space_developer")
        roles.give(dora, person, role=role, place=space)
    answer = api(dora).patch(path, {**asked, "preview": mark})
    assert answer.status_code == 422
    assert "has changed since you looked" in answer.json()["errors"][0]["detail"]


def test_a_preview_costs_the_same_for_many_holders(
    api: Any, dora: Any, root: Any, org: Any, space: Any, restarter: CustomRole, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        person = make_user(f"p{number}")
        for role, place in (("organization_user", org), (restarter.guid, space)):
            access.give(person, role, place, by=root)
    with django_assert_max_num_queries(12):
        api(dora).post(f"/v3/custom_roles/{restarter.guid}/actions/preview", {"permissions": ["log.read"]})


def test_deleting_names_who_holds_it_and_takes_it_when_told_to(
    api: Any, dora: Any, alice: Any, bob: Any, space: Any, restarter: CustomRole
) -> None:
    for person in (alice, bob):
        roles.give(dora, person, role=restarter.guid, place=space)
    AuditEvent.objects.all().delete()
    path = f"/v3/custom_roles/{restarter.guid}"
    refused = api(dora).delete(path)
    assert refused.status_code == 422
    assert "held by 'alice@example.com', 'bob@example.com'" in refused.json()["errors"][0]["detail"]
    assert not AuditEvent.objects.exists()
    done = api(dora).delete(f"{path}?recursive=true")
    assert done.status_code == 202
    assert "app.run" not in access.verbs_held(bob, space)
    taken = AuditEvent.objects.filter(type="audit.user.custom_role_remove", data__role="restarter")
    assert set(taken.values_list("target_guid", flat=True)) == {alice.guid, bob.guid}
    assert AuditEvent.objects.filter(type="audit.custom_role.delete").count() == 1
    assert api(dora).delete(f"{path}?recursive=true").status_code == 404
    assert not access.Permission.objects.filter(codename=restarter.guid).exists()


def test_roles_are_listed_filtered_and_labelled(
    api: Any, dora: Any, org: Any, restarter: CustomRole, other_space: Any, root: Any
) -> None:
    actions.create(dora, org, name="payer", where="organization", verbs=["billing.view"])
    actions.create(root, other_space.organization, name="theirs", where="space", verbs=["log.read"])

    def names(**query: str) -> list[str]:
        return [role["name"] for role in api(dora).get("/v3/custom_roles", query).json()["resources"]]

    assert names() == ["restarter", "payer"]
    assert names(where="organization") == names(names="PAYER") == ["payer"]
    assert names(organization_guids=other_space.organization.guid) == []
    assert names(order_by="-name") == ["restarter", "payer"]
    assert api(dora).get("/v3/custom_roles", {"where": "moon"}).status_code == 400
    labelled = api(dora).patch(f"/v3/custom_roles/{restarter.guid}", {"metadata": {"labels": {"a": "b"}}})
    assert labelled.json()["metadata"]["labels"] == {"a": "b"}
    assert names(label_selector="a=b") == ["restarter"]


def test_a_role_is_of_no_use_elsewhere(
    api: Any, dora: Any, charlie: Any, restarter: CustomRole, other_space: Any
) -> None:
    wish = {
        "relationships": {
            "user": {"data": {"guid": charlie.guid}},
            "space": {"data": {"guid": other_space.guid}},
            "custom_role": {"data": {"guid": restarter.guid}},
        }
    }
    access.give(charlie, "space_manager", other_space, by=dora)
    assert api(charlie).post("/v3/role_grants", wish).status_code == 422


def test_roles_go_with_their_organization(
    dora: Any, alice: Any, root: Any, org: Any, space: Any, restarter: CustomRole
) -> None:
    roles.give(dora, alice, role=restarter.guid, place=space)
    organizations.delete(root, org)
    work("apps.jobs.delete_space", space.pk)
    assert not type(org).objects.filter(pk=org.pk).exists()
    assert not CustomRole.objects.exists() and not access.Permission.objects.filter(codename=restarter.guid).exists()
