"""Who manages a place asks for a larger quota; who sets it accepts or refuses, and only once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from accounts.models import AuditEvent, Mail, User
from paas.lib.errors import OrgSuspended, PaasError
from tenants import access
from tenants.actions import quota_request as actions
from tenants.actions import space_quota
from tenants.models import Organization, OrganizationQuota, QuotaRequest, Space, SpaceQuota

pytestmark = pytest.mark.django_db
MORE = {"total_memory_mb": 200 * 1024, "total_routes": 1200}


@pytest.fixture
def asked(dora: User, org: Any) -> QuotaRequest:
    return actions.ask(dora, org, limits=MORE, reason="the census")


@pytest.fixture
def small(dora: User, org: Any, space: Any) -> SpaceQuota:
    return space_quota.create(dora, org, name="small", spaces=[space], total_instances=4, paid_services_allowed=False)


@pytest.fixture
def sam(alice: User, space: Any, root: User) -> User:
    """alice manages the space, too."""
    access.give(alice, "space_manager", space, by=root)
    return alice


def to(place: Organization | Space) -> dict[str, Any]:
    return {type(place).__name__.lower(): {"data": {"guid": place.guid}}}


def quota_of(place: Any) -> Any:
    return type(place).objects.select_related("quota").get(pk=place.pk).quota


def test_a_manager_asks_for_the_organization(api: Any, dora: Any, root: Any, org: Any) -> None:
    sent = {
        "apps": {"total_memory_in_mb": 204800},
        "routes": {"total_routes": 1200},
        "reason": "the census",
        "relationships": to(org),
    }
    made = api(dora).post("/v3/quota_requests", sent)
    assert made.status_code == 201
    told = made.json()
    assert (told["state"], told["apps"], told["routes"]) == (
        "pending", {"total_memory_in_mb": 204800}, {"total_routes": 1200},
    )  # fmt: skip
    assert told["relationships"]["space"]["data"] is None and "services" not in told
    event = AuditEvent.objects.get(type="audit.quota_request.create")
    assert (event.target_guid, event.organization_guid) == (org.guid, org.guid)
    assert event.data["changes"]["total_memory_mb"] == [None, 204800]
    mail = Mail.objects.get()
    assert (mail.to, mail.kind) == (root.email, "quota-request")
    assert "Memory: 200 GB" in mail.body and "the census" in mail.body and "/platform/quota-requests" in mail.body
    again = api(dora).post("/v3/quota_requests", sent)
    assert (
        again.json()["guid"] == told["guid"] and AuditEvent.objects.filter(type__contains="quota_request").count() == 1
    )
    more = api(dora).post("/v3/quota_requests", {**sent, "routes": {"total_routes": 1300}})
    assert (more.json()["guid"], more.json()["routes"]) == (told["guid"], {"total_routes": 1300})
    assert Mail.objects.count() == 1


def test_a_space_manager_asks_and_the_organizations_manager_decides(
    api: Any, sam: Any, dora: Any, org: Any, space: Any, small: SpaceQuota
) -> None:
    sent = {"services": {"paid_services_allowed": True}, "apps": {"total_instances": 8}, "relationships": to(space)}
    made = api(sam).post("/v3/quota_requests", sent).json()
    assert Mail.objects.get().to == dora.email
    path = f"/v3/quota_requests/{made['guid']}/actions"
    assert api(sam).post(f"{path}/accept", {}).status_code == 403
    assert api(dora).post(f"{path}/accept", {"answer": "Enjoy"}).json()["state"] == "accepted"
    quota = quota_of(space)
    assert (quota.name, quota.total_instances, quota.paid_services_allowed) == ("production", 8, True)
    small.refresh_from_db()
    assert small.total_instances == 4  # other spaces may have it
    told = Mail.objects.get(kind="quota-decided")
    assert told.to == sam.email and "Enjoy" in told.body and "App instances: 8" in told.body


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"apps": {"total_memory_in_mb": 1024}}, "Memory: the quota 'default' gives 100 GB. Ask for more"),
        ({"apps": {"total_instances": 5}}, "App instances: the quota 'default' does not limit that."),
        ({"apps": {"total_instances": None}}, "Limits must be figures"),
        ({"apps": {"total_memory": 1}}, "Unknown field"),
        ({}, "Say what there should be more of."),
    ],
)
def test_what_cannot_be_asked_for_is_told(api: Any, dora: Any, org: Any, sent: Any, sentence: str) -> None:
    answer = api(dora).post("/v3/quota_requests", {**sent, "relationships": to(org)})
    assert answer.status_code == 422
    assert sentence in answer.json()["errors"][0]["detail"]
    assert not QuotaRequest.objects.exists()


def test_a_space_without_a_quota_asks_for_none(api: Any, sam: Any, space: Any) -> None:
    sent = {"apps": {"total_instances": 5}, "relationships": to(space)}
    answer = api(sam).post("/v3/quota_requests", sent)
    assert answer.status_code == 422
    assert "shares that of the organization" in answer.json()["errors"][0]["detail"]


def test_an_auditor_asks_for_nothing_and_a_stranger_sees_nothing(
    api: Any, alice: Any, bob: Any, charlie: Any, org: Any, asked: QuotaRequest
) -> None:
    sent = {"routes": {"total_routes": 1200}, "relationships": to(org)}
    for person in (alice, bob):
        assert api(person).post("/v3/quota_requests", sent).status_code == 403
        assert api(person).get(f"/v3/quota_requests/{asked.guid}").status_code == 404
    assert api(charlie).post("/v3/quota_requests", sent).status_code == 422
    for did in ("accept", "refuse", "withdraw"):
        assert api(charlie).post(f"/v3/quota_requests/{asked.guid}/actions/{did}", {}).status_code == 404


def test_an_admin_accepts_and_the_next_time_enlarges_the_same_quota(
    api: Any, root: Any, dora: Any, org: Any, asked: QuotaRequest
) -> None:
    path = f"/v3/quota_requests/{asked.guid}/actions"
    assert api(dora).post(f"{path}/accept", {}).status_code == 403
    for _twice in range(2):
        assert api(root).post(f"{path}/accept", {}).json()["state"] == "accepted"
    made = quota_of(org)
    assert (made.name, made.total_memory_mb, made.total_routes, made.total_service_instances) == (
        "ministry", 200 * 1024, 1200, 100,
    )  # fmt: skip
    assert OrganizationQuota.objects.get(name="default").total_routes == 1000
    types = AuditEvent.objects.filter(actor_guid=root.guid).values_list("type", flat=True)
    assert sorted(types) == [
        "audit.organization_quota.apply", "audit.organization_quota.create", "audit.quota_request.accept",
    ]  # fmt: skip
    assert Mail.objects.filter(kind="quota-decided").count() == 1
    assert "accepted by root@example.com already" in api(root).post(f"{path}/refuse", {}).json()["errors"][0]["detail"]
    actions.accept(root, actions.ask(dora, org, limits={"total_routes": 2000}))
    made.refresh_from_db()
    assert quota_of(org) == made and made.total_routes == 2000


def test_an_admin_gives_a_quota_that_is_there(api: Any, root: Any, org: Any, asked: QuotaRequest) -> None:
    large = OrganizationQuota.objects.create(name="large")
    path = f"/v3/quota_requests/{asked.guid}/actions/accept"
    wrong = {"relationships": {"quota": {"data": {"guid": "nowhere"}}}}
    assert api(root).post(path, wrong).status_code == 422
    api(root).post(path, {"relationships": {"quota": {"data": {"guid": large.guid}}}})
    assert quota_of(org) == large


def test_a_name_that_is_taken_gets_a_number(root: Any, org: Any, asked: QuotaRequest) -> None:
    OrganizationQuota.objects.create(name="Ministry")
    actions.accept(root, asked)
    assert quota_of(org).name == "ministry 2"


def test_what_was_given_meanwhile_is_not_taken_away(root: Any, org: Any, quota: Any, asked: QuotaRequest) -> None:
    quota.total_memory_mb, quota.total_routes = None, 5000
    quota.save()
    actions.accept(root, asked)
    assert quota_of(org) == quota


def test_an_admin_refuses(api: Any, root: Any, dora: Any, org: Any, quota: Any, asked: QuotaRequest) -> None:
    path = f"/v3/quota_requests/{asked.guid}/actions"
    for _twice in range(2):
        assert api(root).post(f"{path}/refuse", {"answer": "Not now"}).json()["answer"] == "Not now"
    assert quota_of(org) == quota
    mail = Mail.objects.get(kind="quota-decided")
    assert mail.to == dora.email and "Not now" in mail.body
    assert AuditEvent.objects.filter(type="audit.quota_request.refuse").count() == 1
    assert api(root).post(f"{path}/accept", {}).status_code == 422


def test_who_asked_withdraws(api: Any, root: Any, dora: Any, asked: QuotaRequest) -> None:
    path = f"/v3/quota_requests/{asked.guid}/actions/withdraw"
    assert api(root).post(path, {}).status_code == 403
    for _twice in range(2):
        assert api(dora).post(path, {}).json()["state"] == "withdrawn"
    assert AuditEvent.objects.filter(type="audit.quota_request.withdraw").count() == 1


def test_a_suspended_organization_asks_for_nothing(dora: Any, org: Any) -> None:
    org.suspended = True
    org.save()
    with pytest.raises(OrgSuspended):
        actions.ask(dora, org, limits=MORE)


def test_requests_are_listed_to_who_may_ask_there(
    api: Any, root: Any, dora: Any, sam: Any, bob: Any, org: Any, space: Any, small: Any, asked: QuotaRequest
) -> None:
    mine = actions.ask(sam, space, limits={"total_instances": 9})
    actions.refuse(root, asked)

    def listed(user: User, **query: str) -> set[str]:
        return {each["guid"] for each in api(user).get("/v3/quota_requests", query).json()["resources"]}

    assert listed(root) == listed(dora) == {asked.guid, mine.guid}
    assert (listed(sam), listed(bob)) == ({mine.guid}, set())
    assert listed(dora, states="pending") == listed(dora, space_guids=space.guid) == {mine.guid}
    assert listed(dora, user_guids=dora.guid) == {asked.guid}
    assert listed(dora, organization_guids=org.guid) == {asked.guid, mine.guid}
    space.deleting_at = space.created_at
    space.save()
    assert listed(dora) == {asked.guid}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_admins_one_decides(root: Any, org: Any, asked: QuotaRequest) -> None:
    other = User.objects.person("second@example.com", "correct horse battery", platform_role="admin")
    outcomes: list[str] = []

    def decide(act: Any, person: User) -> None:
        try:
            act(person, QuotaRequest.objects.select_related("organization", "space").get(pk=asked.pk))
            outcomes.append("done")
        except PaasError as error:
            outcomes.append(error.detail)
        finally:
            connections.close_all()

    both = [threading.Thread(target=decide, args=pair) for pair in ((actions.accept, root), (actions.refuse, other))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert outcomes.count("done") == 1 and any("already" in said for said in outcomes)
    asked.refresh_from_db()
    assert (quota_of(org).name == "ministry") == (asked.state == "accepted")
