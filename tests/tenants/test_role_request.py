"""A member asks for a role; who manages members there accepts or refuses, and only once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.authority import Authority
from accounts.models import AuditEvent, Mail, User
from paas.lib.errors import NotAuthorized, PaasError
from tenants import access
from tenants.actions import custom_role
from tenants.actions import role as roles
from tenants.actions import role_request as actions
from tenants.models import OrganizationRole, RoleRequest, SpaceRole
from tests.conftest import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(org: Any, root: User) -> User:
    """A member of the organization and nothing else."""
    user = make_user("eve")
    access.give(user, "organization_user", org, by=root)
    return user


@pytest.fixture
def asked(eve: User, dora: User, space: Any) -> RoleRequest:
    ends = timezone.now() + timedelta(days=5)
    return actions.ask(eve, space, role="space_developer", reason="the release", expires_at=ends)


def body(org: Any, space: Any = None, role: str = "space_developer", **fields: Any) -> dict[str, Any]:
    ends = {"organization": {"data": {"guid": org.guid}}}
    if space is not None:
        ends["space"] = {"data": space if isinstance(space, dict) else {"guid": space.guid}}
    return {"type": role, "relationships": ends, **fields}


@pytest.mark.parametrize("named", [True, False])
def test_a_member_asks_for_a_role_in_a_space(api: Any, eve: Any, dora: Any, org: Any, space: Any, named: bool) -> None:
    """They need not see it: whoever does no more than belong to the organization sees none."""
    sent = body(org, {"name": "Production"} if named else space, reason="the release")
    made = api(eve).post("/v3/role_requests", sent)
    assert made.status_code == 201
    told = made.json()
    assert (told["name"], told["type"], told["state"]) == ("Space developer", "space_developer", "pending")
    assert told["relationships"]["space"]["data"]["guid"] == space.guid
    assert "app.push" not in access.verbs_held(eve, space)
    event = AuditEvent.objects.get(type="audit.role_request.create")
    assert (event.target_guid, event.space_guid, event.data["role"]) == (eve.guid, space.guid, "space_developer")
    mail = Mail.objects.get(kind="role-request")
    assert mail.to == dora.email
    assert "the release" in mail.body and "/requests" in mail.body
    again = api(eve).post("/v3/role_requests", sent)
    assert again.json()["guid"] == told["guid"]
    assert AuditEvent.objects.filter(type__startswith="audit.role_request").count() == 1
    longer = api(eve).post("/v3/role_requests", {**sent, "reason": "another"})
    assert (longer.json()["guid"], longer.json()["reason"]) == (told["guid"], "another")
    assert Mail.objects.count() == 1


def test_space_managers_hear_of_requests_for_their_space_only(
    eve: Any, dora: Any, bob: Any, root: Any, org: Any, space: Any
) -> None:
    access.give(bob, "space_manager", space, by=root)
    actions.ask(eve, space, role="space_developer")
    assert set(Mail.objects.values_list("to", flat=True)) == {dora.email, bob.email}
    actions.ask(eve, org, role="organization_auditor")
    assert Mail.objects.filter(to=bob.email).count() == 1


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"space": {"name": "nowhere"}}, "There is no space 'nowhere' in organization 'ministry'."),
        ({"role": "space_developer"}, "There is no role 'space_developer' in 'ministry'"),
        ({"role": "organization_user"}, "You hold that role in 'ministry' already."),
        ({"role": "organization_auditor", "expires_at": "2020-01-01T00:00:00Z"}, "must be in the future"),
        ({"role": "king"}, "Type"),
        ({"space": {}}, "must have a guid or a name"),
    ],
)
def test_what_cannot_be_asked_for_is_told(
    api: Any, eve: Any, org: Any, space: Any, sent: dict[str, Any], sentence: str
) -> None:
    answer = api(eve).post("/v3/role_requests", body(org, **sent))
    assert answer.status_code == 422
    assert sentence in answer.json()["errors"][0]["detail"]
    assert not RoleRequest.objects.exists()


def test_a_stranger_asks_for_nothing(api: Any, charlie: Any, org: Any, asked: RoleRequest) -> None:
    assert api(charlie).post("/v3/role_requests", body(org, role="organization_auditor")).status_code == 422
    path = f"/v3/role_requests/{asked.guid}"
    assert api(charlie).get(path).status_code == 404
    for did in ("accept", "refuse", "withdraw"):
        assert api(charlie).post(f"{path}/actions/{did}", {}).status_code == 404


def test_a_narrowed_token_asks_for_nothing(eve: Any, org: Any) -> None:
    eve.authority = Authority(verbs=frozenset({"organization.view"}))
    with pytest.raises(NotAuthorized):
        actions.ask(eve, org, role="organization_auditor")


def test_a_member_has_so_many_requests_waiting_at_most(eve: Any, dora: Any, org: Any) -> None:
    for number in range(actions.MOST):
        own = custom_role.create(dora, org, name=f"r{number}", where="organization", verbs=["log.read"])
        actions.ask(eve, org, role=own.guid)
    with pytest.raises(PaasError, match="wait for an answer"):
        actions.ask(eve, org, role="organization_auditor")


def test_a_manager_accepts(api: Any, dora: Any, eve: Any, space: Any, asked: RoleRequest) -> None:
    path = f"/v3/role_requests/{asked.guid}/actions/accept"
    told = api(dora).post(path, {"answer": "Welcome"}).json()
    assert (told["state"], told["answer"], told["already_held"]) == ("accepted", "Welcome", False)
    assert told["relationships"]["decided_by"]["data"]["guid"] == dora.guid
    row = SpaceRole.objects.get(user=eve)
    assert (row.expires_at, row.reason, row.granted_by) == (asked.expires_at, "the release", dora)
    assert "app.push" in access.verbs_held(eve, space)
    mail = Mail.objects.get(kind="role-decided")
    assert mail.to == eve.email and "accepted" in mail.subject and "Welcome" in mail.body
    again = api(dora).post(path, {})
    assert again.status_code == 200 and again.json()["already_held"] is True
    assert Mail.objects.filter(kind="role-decided").count() == 1
    types = AuditEvent.objects.filter(actor_guid=dora.guid).values_list("type", flat=True)
    assert sorted(types) == ["audit.role_request.accept", "audit.user.space_developer_add"]
    refused = api(dora).post(f"/v3/role_requests/{asked.guid}/actions/refuse", {})
    assert "The request was accepted by dora@example.com already." in refused.json()["errors"][0]["detail"]


def test_a_manager_refuses(api: Any, dora: Any, eve: Any, asked: RoleRequest) -> None:
    path = f"/v3/role_requests/{asked.guid}/actions/refuse"
    for _twice in range(2):
        told = api(dora).post(path, {"answer": "Not now"}).json()
        assert (told["state"], told["answer"]) == ("refused", "Not now")
    assert not SpaceRole.objects.filter(user=eve).exists()
    assert "Not now" in Mail.objects.get(kind="role-decided").body
    assert AuditEvent.objects.filter(type="audit.role_request.refuse").count() == 1
    assert api(dora).post(f"/v3/role_requests/{asked.guid}/actions/accept", {}).status_code == 422


def test_accepting_what_is_held_says_so(api: Any, dora: Any, eve: Any, space: Any, asked: RoleRequest) -> None:
    roles.give(dora, eve, role="space_developer", place=space)
    told = api(dora).post(f"/v3/role_requests/{asked.guid}/actions/accept", {}).json()
    assert (told["state"], told["already_held"]) == ("accepted", True)
    assert SpaceRole.objects.get(user=eve).expires_at is None


def test_accepting_makes_a_role_last_longer(dora: Any, eve: Any, space: Any, asked: RoleRequest) -> None:
    roles.give(dora, eve, role="space_developer", place=space, expires_at=timezone.now() + timedelta(days=1))
    assert actions.accept(dora, asked)[1] is True
    assert SpaceRole.objects.get(user=eve).expires_at == asked.expires_at


def test_who_asked_withdraws(api: Any, dora: Any, eve: Any, asked: RoleRequest) -> None:
    path = f"/v3/role_requests/{asked.guid}/actions/withdraw"
    assert api(dora).post(path, {}).status_code == 403
    for _twice in range(2):
        assert api(eve).post(path, {}).json()["state"] == "withdrawn"
    assert AuditEvent.objects.filter(type="audit.role_request.withdraw").count() == 1
    assert api(dora).post(f"/v3/role_requests/{asked.guid}/actions/accept", {}).status_code == 422


def test_who_manages_no_members_decides_nothing(api: Any, alice: Any, bob: Any, eve: Any, asked: RoleRequest) -> None:
    path = f"/v3/role_requests/{asked.guid}"
    for caller in (alice, bob):
        assert api(caller).get(path).status_code == 404
    for did in ("accept", "refuse"):
        assert api(eve).post(f"{path}/actions/{did}", {}).status_code == 403


def test_a_member_manager_by_a_custom_role_decides_within_their_reach(
    api: Any, dora: Any, alice: Any, eve: Any, org: Any, space: Any, asked: RoleRequest
) -> None:
    greeter = custom_role.create(dora, org, name="greeter", where="space", verbs=["member.manage", "log.read"])
    logs = custom_role.create(dora, org, name="logs", where="space", verbs=["log.read"])
    bob = make_user("bobby")
    for role, place in (("organization_user", org), (greeter.guid, space)):
        roles.give(dora, bob, role=role, place=place)
    modest = actions.ask(eve, space, role=logs.guid)
    for did in ("accept", "refuse"):
        assert api(bob).post(f"/v3/role_requests/{asked.guid}/actions/{did}", {}).status_code == 403
    assert api(bob).post(f"/v3/role_requests/{modest.guid}/actions/accept", {}).status_code == 200
    assert access.verbs_held(eve, space) == {"organization.view", "space.view", "log.read"}


def test_who_left_meanwhile_is_not_let_in_again(dora: Any, eve: Any, asked: RoleRequest) -> None:
    OrganizationRole.objects.filter(user=eve).delete()
    with pytest.raises(PaasError, match="is not in organization 'ministry' any more"):
        actions.accept(dora, asked)
    assert actions.refuse(dora, asked).state == "refused"


def test_a_deleted_role_refuses_who_asked_for_it(dora: Any, eve: Any, org: Any) -> None:
    own = custom_role.create(dora, org, name="reader", where="organization", verbs=["log.read"])
    actions.ask(eve, org, role=own.guid)
    custom_role.delete(dora, own)
    assert not RoleRequest.objects.exists()
    assert AuditEvent.objects.filter(type="audit.role_request.refuse", data__role="reader").count() == 1
    assert "not there any more" in Mail.objects.get(kind="role-decided").body


def test_requests_are_listed_and_filtered(
    api: Any, dora: Any, eve: Any, alice: Any, org: Any, space: Any, asked: RoleRequest
) -> None:
    other = actions.ask(alice, org, role="organization_auditor")
    actions.refuse(dora, other)

    def listed(user: User, **query: str) -> set[str]:
        return {each["guid"] for each in api(user).get("/v3/role_requests", query).json()["resources"]}

    assert listed(dora) == {asked.guid, other.guid}
    assert (listed(eve), listed(alice)) == ({asked.guid}, {other.guid})
    assert listed(dora, states="pending") == listed(dora, space_guids=space.guid) == {asked.guid}
    assert listed(dora, user_guids=alice.guid, organization_guids=org.guid) == {other.guid}
    assert api(dora).get("/v3/role_requests", {"states": "lost"}).status_code == 400


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_managers_one_decides(dora: Any, eve: Any, root: Any, asked: RoleRequest) -> None:
    outcomes: list[str] = []

    def decide(act: Any, person: User) -> None:
        try:
            act(person, RoleRequest.objects.select_related("organization", "space", "user").get(pk=asked.pk))
            outcomes.append("done")
        except PaasError as error:
            outcomes.append(error.detail)
        finally:
            connections.close_all()

    both = [threading.Thread(target=decide, args=pair) for pair in ((actions.accept, dora), (actions.refuse, root))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert outcomes.count("done") == 1
    assert any("already" in said for said in outcomes)
    asked.refresh_from_db()
    assert SpaceRole.objects.filter(user=eve).exists() == (asked.state == "accepted")
