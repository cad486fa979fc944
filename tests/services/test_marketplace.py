"""Offerings and plans in the v3 API: who sees which, what lists are narrowed by, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, User
from paas.lib.models import new_guid
from services.models import Binding, Offering, Plan, PlanVisibility, ServiceBroker, ServiceInstance
from tenants.models import Organization, QuotaUse, Space

Api = Callable[[User], APIClient]
Register = Callable[..., ServiceBroker]
PLANS, OFFERINGS = "/v3/service_plans", "/v3/service_offerings"


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


def names(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return sorted(each["name"] for each in reply.json()["resources"])


def grant(plan: Plan, organization: Organization) -> None:
    Plan.objects.filter(pk=plan.pk).update(visibility_type="organization")
    PlanVisibility.objects.create(plan=plan, organization=organization)


def instance_of(plan: Plan, space: Space, **fields: Any) -> ServiceInstance:
    return ServiceInstance.objects.create(plan=plan, space=space, region=space.region, **{"name": "data", **fields})


def test_new_plans_are_seen_by_admins_only(api: Api, root: User, alice: User, register: Register) -> None:
    register()
    assert names(api(root).get(PLANS)) == ["large", "small"]
    assert names(api(alice).get(PLANS)) == names(api(alice).get(OFFERINGS)) == []
    plan = Plan.objects.get(name="small")
    assert api(alice).get(f"{PLANS}/{plan.guid}").status_code == 404
    assert told(api(alice).get(f"{PLANS}/{plan.guid}/visibility")) == "Service plan not found"
    assert told(api(alice).get(f"{OFFERINGS}/{plan.offering.guid}")) == "Service offering not found"


def test_plans_are_seen_by_organization(
    api: Api, alice: User, charlie: User, org: Organization, register: Register
) -> None:
    register()
    grant(Plan.objects.get(name="small"), org)
    assert (names(api(alice).get(PLANS)), names(api(charlie).get(PLANS))) == (["small"], [])
    assert (names(api(alice).get(OFFERINGS)), names(api(charlie).get(OFFERINGS))) == (["db"], [])


def test_whoever_has_an_instance_goes_on_seeing_its_plan(
    api: Api, alice: User, charlie: User, space: Space, register: Register
) -> None:
    register()
    plan = Plan.objects.get(name="large")
    instance = instance_of(plan, space)
    assert names(api(alice).get(PLANS)) == ["large"]
    assert names(api(alice).get(f"{PLANS}?service_instance_guids={instance.guid}")) == ["large"]
    assert names(api(alice).get(f"{PLANS}?space_guids={space.guid}")) == []  # to make new ones it is closed
    assert names(api(charlie).get(PLANS)) == []


def test_a_plan_looks_as_in_cloud_foundry(api: Api, alice: User, plans: dict[str, Plan]) -> None:
    shown = api(alice).get(f"{PLANS}/{plans['large'].guid}?include=service_offering").json()
    offering = shown.pop("included")["service_offerings"][0]
    assert (shown["visibility_type"], shown["available"], shown["free"]) == ("public", True, False)
    assert shown["costs"] == [{"currency": "GBP", "amount": 12.5, "unit": "Monthly"}]
    assert shown["broker_catalog"]["features"] == {"bindable": True, "plan_updateable": True}
    assert shown["schemas"]["service_binding"] == {"create": {"parameters": {}}}
    assert shown["maintenance_info"] == {"version": "1.0.0"}
    assert shown["relationships"]["service_offering"]["data"]["guid"] == offering["guid"]
    assert set(shown["links"]) == {"self", "service_offering", "visibility"}
    assert offering["broker_catalog"]["features"]["bindings_retrievable"] is True
    assert (offering["shareable"], offering["tags"], offering["requires"]) == (True, ["sql"], [])


def test_the_marketplace_of_a_space_is_what_can_be_used_there(
    api: Api, root: User, space: Space, other_space: Space, org: Organization, register: Register
) -> None:
    broker = register()
    register(space, name="own")
    everywhere, granted = Plan.objects.filter(offering__broker=broker).order_by("name")
    Plan.objects.filter(pk=everywhere.pk).update(visibility_type="public")
    grant(granted, org)
    query = "include=service_offering&fields[service_offering.service_broker]=name,guid&available=true&per_page=5000"
    here = api(root).get(f"{PLANS}?{query}&space_guids={space.guid}").json()
    assert sorted(each["name"] for each in here["resources"]) == ["large", "large", "small", "small"]
    assert {each["name"] for each in here["included"]["service_brokers"]} == {"foreign", "own"}
    assert set(here["included"]["service_brokers"][0]) == {"name", "guid"}
    assert len(here["included"]["service_offerings"]) == 2
    assert names(api(root).get(f"{PLANS}?space_guids={other_space.guid}")) == ["large"]
    assert names(api(root).get(f"{PLANS}?organization_guids={other_space.organization.guid}")) == ["large"]
    assert len(names(api(root).get(f"{PLANS}?organization_guids={org.guid}"))) == 4
    assert len(names(api(root).get(f"{OFFERINGS}?space_guids={space.guid}"))) == 2
    assert len(names(api(root).get(f"{OFFERINGS}?organization_guids={other_space.organization.guid}"))) == 1
    places = api(root).get(f"{PLANS}?include=space.organization").json()["included"]
    assert [each["name"] for each in places["spaces"]] == ["production"]
    assert [each["name"] for each in places["organizations"]] == ["ministry"]


def test_lists_are_narrowed(api: Api, alice: User, plans: dict[str, Plan]) -> None:
    offering = plans["small"].offering
    Plan.objects.filter(name="large").update(available=False)
    expected = {
        "names=small": ["small"],
        "available=true": ["small"],
        "available=false": ["large"],
        "broker_catalog_ids=plan-large": ["large"],
        "service_offering_names=DB": ["large", "small"],
        f"service_offering_guids={offering.guid}": ["large", "small"],
        f"service_broker_guids={offering.broker.guid}": ["large", "small"],
        "service_broker_names=foreign": ["large", "small"],
        "service_broker_names=none": [],
    }
    for query, found in expected.items():
        assert names(api(alice).get(f"{PLANS}?{query}")) == found, query
    for query in ("names=db", "available=true", "service_broker_names=foreign"):
        assert names(api(alice).get(f"{OFFERINGS}?{query}")) == ["db"], query
    with_broker = api(alice).get(f"{OFFERINGS}?fields[service_broker]=name,guid").json()["included"]
    assert with_broker == {"service_brokers": [{"name": "foreign", "guid": offering.broker.guid}]}


@pytest.mark.parametrize(
    "query", ["available=maybe", "include=space", "fields[service_offering.service_broker]=url", "x=y"]
)
def test_what_a_list_does_not_take_is_told(api: Api, alice: User, query: str) -> None:
    reply = api(alice).get(f"{PLANS}?{query}")
    assert reply.status_code == 400 and reply.json()["errors"][0]["title"] == "CF-BadQueryParameter"


def test_admins_open_and_close_plans(
    api: Api, root: User, alice: User, bob: User, org: Organization, other_space: Space, register: Register,
    recorded: Callable[[str], AuditEvent],
) -> None:  # fmt: skip
    register()
    here = f"{PLANS}/{Plan.objects.get(name='small').guid}/visibility"
    admin, council = api(root), other_space.organization
    assert admin.get(here).json() == {"type": "admin"}
    assert admin.patch(here, {"type": "public"}).json() == {"type": "public"}
    assert api(alice).get(here).json() == {"type": "public"}
    for caller in (alice, bob):
        assert api(caller).patch(here, {"type": "admin"}).status_code == 403
    one = {"type": "organization", "organizations": [{"guid": org.guid}]}
    for _ in range(2):  # twice is harmless
        shown = admin.patch(here, one).json()
        assert shown == {"type": "organization", "organizations": [{"guid": org.guid, "name": "ministry"}]}
    other = {"type": "organization", "organizations": [{"guid": council.guid}]}
    for _ in range(2):
        assert len(admin.post(here, other).json()["organizations"]) == 2
    assert api(alice).get(here).json()["organizations"] == [{"guid": org.guid, "name": "ministry"}]
    for _ in range(2):
        assert admin.delete(f"{here}/{org.guid}").status_code == 204
    assert api(alice).get(here).status_code == 404
    assert recorded("audit.service_plan_visibility.delete").organization_name == "ministry"
    assert [each["guid"] for each in admin.patch(here, one).json()["organizations"]] == [org.guid]
    assert admin.post(here, {"type": "public"}).json() == {"type": "public"}
    assert not PlanVisibility.objects.exists()
    refused = admin.delete(f"{here}/{org.guid}")
    assert refused.status_code == 422 and "visibility type 'public'" in told(refused)
    assert recorded("audit.service_plan_visibility.update").data["changes"]["visibility_type"] == [
        "organization",
        "public",
    ]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Type can't be blank"),
        ({"type": "space"}, "Type must be one of 'public', 'admin', 'organization'"),
        ({"type": "organization"}, "Organizations must name at least one organization"),
        ({"type": "public", "organizations": [{"guid": "x"}]}, "Organizations must not be given"),
        ({"type": "organization", "organizations": [{"guid": "x"}]}, "Could not find Organizations with guids: x"),
    ],
)
def test_a_visibility_that_cannot_be_is_told(
    api: Api, root: User, plans: dict[str, Plan], sent: dict[str, Any], sentence: str
) -> None:
    reply = api(root).patch(f"{PLANS}/{plans['small'].guid}/visibility", sent)
    assert reply.status_code == 422 and sentence in told(reply)


def test_plans_of_a_space_stay_in_the_space(api: Api, root: User, space: Space, register: Register) -> None:
    register(space)
    here = f"{PLANS}/{Plan.objects.get(name='small').guid}/visibility"
    assert api(root).get(here).json() == {"type": "space", "space": {"guid": space.guid, "name": "production"}}
    refused = api(root).patch(here, {"type": "public"})
    assert refused.status_code == 422 and told(refused) == "cannot update plans with visibility type 'space'"


@pytest.mark.parametrize(("path", "event"), [(PLANS, "audit.service_plan.update"), (OFFERINGS, "audit.service.update")])
def test_keepers_of_the_broker_label_what_it_offers(
    api: Api, root: User, alice: User, charlie: User, plans: dict[str, Plan], path: str, event: str,
    recorded: Callable[[str], AuditEvent],
) -> None:  # fmt: skip
    thing = plans["small"] if path == PLANS else plans["small"].offering
    change = {"metadata": {"labels": {"a": "b"}}}
    for caller in (alice, charlie):
        assert api(caller).patch(f"{path}/{thing.guid}", change).status_code == 403
    for _ in range(2):
        assert api(root).patch(f"{path}/{thing.guid}", change).json()["metadata"]["labels"] == {"a": "b"}
    assert recorded(event).target_guid == thing.guid
    assert names(api(alice).get(f"{path}?label_selector=a=b")) == [thing.name]


def test_what_nothing_uses_is_deleted(
    api: Api, root: User, alice: User, space: Space, plans: dict[str, Plan], recorded: Callable[[str], AuditEvent]
) -> None:
    instance = instance_of(plans["small"], space)
    small, offering = f"{PLANS}/{plans['small'].guid}", f"{OFFERINGS}/{plans['small'].offering.guid}"
    assert api(alice).delete(small).status_code == api(alice).delete(offering).status_code == 403
    assert "has instances" in told(api(root).delete(small)) and "has instances" in told(api(root).delete(offering))
    instance.delete()
    assert api(root).delete(small).status_code == 204
    assert api(root).delete(small).status_code == 404
    assert api(root).delete(offering).status_code == 204
    assert recorded("audit.service.delete").target_name == "db"
    assert not Plan.objects.exists()


def test_a_purge_forgets_everything_and_asks_nobody(
    api: Api, root: User, alice: User, space: Space, plans: dict[str, Plan], foreign: Any, now: Any
) -> None:
    QuotaUse.objects.filter(space=space).update(service_instances=1)
    instance = instance_of(plans["small"], space)
    Binding.objects.create(type="key", name="k", instance=instance)
    instance_of(plans["small"], space, removed_at=now)
    foreign.calls.clear()
    here = f"{OFFERINGS}/{plans['small'].offering.guid}?purge=true"
    assert api(alice).delete(here).status_code == 403
    assert api(root).delete(here).status_code == 204
    assert api(root).delete(here).status_code == 404
    assert not any(model.objects.exists() for model in (Offering, Plan, ServiceInstance, Binding))
    assert QuotaUse.objects.get(space=space).service_instances == 0
    assert not foreign.calls


def test_the_marketplace_costs_the_same_whatever_its_size(
    api: Api, alice: User, org: Organization, space: Space, register: Register, django_assert_max_num_queries: Any
) -> None:
    """Plans by the hundred, each open to many organizations: one page, and not a query more."""
    register()
    broker = ServiceBroker.objects.get()
    offerings = Offering.objects.bulk_create(
        Offering(broker=broker, catalog_id=new_guid(), name=f"offering-{n}") for n in range(40)
    )
    made = Plan.objects.bulk_create(
        Plan(offering=offering, catalog_id=new_guid(), name=f"plan-{n}", visibility_type="organization")
        for offering in offerings
        for n in range(10)
    )
    PlanVisibility.objects.bulk_create(PlanVisibility(plan=plan, organization=org) for plan in made)
    query = "include=service_offering&fields[service_offering.service_broker]=name,guid&available=true&per_page=5000"
    with django_assert_max_num_queries(9):
        found = api(alice).get(f"{PLANS}?{query}&space_guids={space.guid}").json()
    assert (len(found["resources"]), len(found["included"]["service_offerings"])) == (400, 40)
    with django_assert_max_num_queries(8):
        assert len(api(alice).get(f"{OFFERINGS}?per_page=5000").json()["resources"]) == 40
