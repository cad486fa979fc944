"""Registering, changing and deleting service brokers in the v3 API: for the platform, or for one space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Job, User
from paas.lib.queue import work
from services.models import Offering, Plan, ServiceBroker, ServiceInstance
from tenants.models import Organization, Space
from tests.services.broker import BREAKS, DROPS, GARBAGE, MisbehavingBroker, Trick, fails, misbehaving
from tests.services.conftest import HERE

Api = Callable[[User], APIClient]
Synchronize = Callable[[Job], Job]
Register = Callable[..., ServiceBroker]
PATH = "/v3/service_brokers"


def told(reply: Any) -> str:
    return reply.json()["errors"][0]["detail"]


def body(foreign: MisbehavingBroker, space: Space | None = None, **fields: Any) -> dict[str, Any]:
    secret = {"username": foreign.username, "password": foreign.password}
    sent = {"name": "foreign", "url": foreign.url, "authentication": {"type": "basic", "credentials": secret}}
    where = {"relationships": {"space": {"data": {"guid": space.guid}}}} if space else {}
    return sent | where | fields


def job_of(reply: Any) -> Job:
    assert reply.status_code == 202, reply.content
    assert not reply.content
    return Job.objects.get(guid=reply.headers["Location"].rpartition("/")[2])


def done(reply: Any) -> Job:
    job = job_of(reply)
    work("services.jobs.synchronize", ServiceBroker.objects.get(guid=job.resource_guid).pk)
    job.refresh_from_db()
    return job


def instance_of(plan: Plan, space: Space, **fields: Any) -> ServiceInstance:
    return ServiceInstance.objects.create(plan=plan, space=space, region=space.region, name="data", **fields)


def test_an_admin_registers_a_broker_and_reads_its_catalogue(api: Api, root: User, foreign: MisbehavingBroker) -> None:
    admin = api(root)
    job = done(admin.post(PATH, body(foreign, allowed_networks=HERE)))
    assert (job.operation, job.state, job.warnings) == ("service_broker.catalog.synchronize", "COMPLETE", [])
    broker = admin.get(f"{PATH}/{job.resource_guid}").json()
    assert (broker["name"], broker["url"], broker["relationships"]) == ("foreign", foreign.url, {})
    assert "password" not in str(broker) and foreign.password not in str(broker)
    offering = Offering.objects.get()
    assert (offering.name, offering.shareable, offering.documentation_url) == ("db", True, "https://example.org/db")
    plan = Plan.objects.get(name="large")
    assert plan.costs == [{"currency": "GBP", "amount": 12.5, "unit": "Monthly"}]
    assert (plan.free, plan.visibility_type) == (False, "admin")


def test_it_is_audited_and_no_secret_is_in_the_record(
    root: User, register: Register, recorded: Callable[[str], AuditEvent], foreign: MisbehavingBroker
) -> None:
    register()
    assert recorded("audit.service_broker.create").target_name == "foreign"
    assert recorded("audit.service_broker.synchronize").data["sentences"][0] == "Offering 'db' is new."
    assert foreign.password not in str([event.data for event in AuditEvent.objects.all()])


def test_only_admins_register_for_all(api: Api, alice: User, dora: User, foreign: MisbehavingBroker) -> None:
    for caller in (alice, dora):
        assert api(caller).post(PATH, body(foreign)).status_code == 403


def test_a_developer_registers_for_the_space(
    api: Api, alice: User, bob: User, charlie: User, space: Space, foreign: MisbehavingBroker
) -> None:
    assert api(bob).post(PATH, body(foreign, space)).status_code == 403
    stranger = api(charlie).post(PATH, body(foreign, space))
    assert stranger.status_code == 422 and told(stranger).startswith("Invalid space.")
    job = done(api(alice).post(PATH, body(foreign, space)))
    assert job.state == "FAILED" and "is private" in job.errors[0]["detail"]  # only admins open private networks
    assert api(alice).post(PATH, body(foreign, space, allowed_networks=HERE)).status_code == 403
    here = f"{PATH}/{job.resource_guid}"
    assert api(alice).get(here).json()["relationships"]["space"]["data"]["guid"] == space.guid
    assert [api(caller).get(here).status_code for caller in (bob, charlie)] == [200, 404]
    for change in ({"url": foreign.url}, {"name": "other"}):
        assert [api(caller).patch(here, change).status_code for caller in (bob, charlie)] == [403, 404]
    assert [api(caller).delete(here).status_code for caller in (bob, charlie)] == [403, 404]
    assert api(alice).delete(here).status_code == 202


def test_plans_of_a_space_are_seen_in_the_space(
    api: Api, alice: User, charlie: User, space: Space, register: Register
) -> None:
    register(space)
    assert len(api(alice).get("/v3/service_plans").json()["resources"]) == 2
    assert api(charlie).get("/v3/service_plans").json()["resources"] == []
    assert api(charlie).get("/v3/service_offerings").json()["resources"] == []


@pytest.mark.parametrize(
    ("trick", "code", "sentence"),
    [
        (fails(401), 10001, "Authentication with the service broker failed."),
        (fails(500, description="oh"), 10001, "Service broker error: oh"),
        (GARBAGE, 10001, "The service broker returned an invalid response: expected valid JSON object in body"),
        (DROPS, 10001, "The service broker did not answer properly"),
        (BREAKS, 10001, "The service broker did not answer properly"),
        (Trick(body={}), 270012, "Service broker catalog is invalid:"),
        (Trick(body={"services": [{"name": "db"}]}), 270012, "Service broker catalog is invalid:"),
    ],
)
def test_a_catalogue_that_is_no_good_fails_the_job(
    api: Api, root: User, foreign: MisbehavingBroker, trick: Trick, code: int, sentence: str
) -> None:
    foreign.always("catalog", trick)
    job = done(api(root).post(PATH, body(foreign, allowed_networks=HERE)))
    assert (job.state, job.errors[0]["code"]) == ("FAILED", code)
    assert job.errors[0]["detail"].startswith(sentence)
    assert ServiceBroker.objects.get().state == "synchronization failed"
    foreign.always("catalog", None)
    again = done(api(root).patch(f"{PATH}/{job.resource_guid}", {"url": foreign.url}))
    assert again.state == "COMPLETE" and ServiceBroker.objects.get().state == "available"


def test_a_developer_moves_no_broker_within_the_networks_that_admins_opened_for_it(
    api: Api, root: User, alice: User, space: Space, foreign: MisbehavingBroker
) -> None:
    job = done(api(root).post(PATH, body(foreign, space, allowed_networks=HERE)))
    here = f"{PATH}/{job.resource_guid}"
    refused = api(alice).patch(here, {"url": "http://127.0.0.1:1"})
    assert refused.status_code == 403 and "Private networks are open for this broker" in told(refused)
    assert done(api(alice).patch(here, {"url": f"{foreign.url}/"})).state == "COMPLETE"
    assert api(root).patch(here, {"url": "http://127.0.0.1:1"}).status_code == 202


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Name can't be blank"),
        ({"url": "ftp://example.org"}, "Url must be a valid url"),
        ({"url": "http://"}, "Url must be a valid url"),
        ({"url": "http://example.org:99999"}, "Url must be a valid url"),
        ({"url": "https://user:password@example.org"}, "Url must not contain authentication"),
        ({"url": "https://example.org/?a=b"}, "Url must not contain a query"),
        ({"authentication": {"type": "oauth", "credentials": {}}}, 'Authentication type must be one of ["basic"]'),
        (
            {"authentication": {"type": "basic", "credentials": {}}},
            "Authentication credentials username can't be blank",
        ),
        ({"allowed_networks": ["10.0.0.0/99"]}, "Networks must be like 10.1.0.0/16"),
        ({"secret": 1}, "Unknown field(s): 'secret'"),
    ],
)
def test_what_cannot_be_a_broker_is_refused(
    api: Api, root: User, foreign: MisbehavingBroker, fields: dict[str, Any], sentence: str
) -> None:
    reply = api(root).post(PATH, body(foreign) | fields)
    assert reply.status_code == 422 and sentence in told(reply)


def test_a_name_is_taken_once(api: Api, root: User, foreign: MisbehavingBroker, register: Register) -> None:
    register()
    again = api(root).post(PATH, body(foreign, name="FOREIGN"))
    assert again.status_code == 422 and told(again) == "Name must be unique"


def test_a_rename_asks_nobody(api: Api, root: User, foreign: MisbehavingBroker, register: Register) -> None:
    here = f"{PATH}/{register().guid}"
    foreign.calls.clear()
    changed = api(root).patch(here, {"name": "other", "metadata": {"labels": {"a": "b"}}})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["metadata"]["labels"]) == ("other", {"a": "b"})
    assert not foreign.calls


def test_an_update_tells_what_changed(
    api: Api, root: User, space: Space, foreign: MisbehavingBroker, register: Register
) -> None:
    broker = register()
    instance_of(Plan.objects.get(name="large"), space)
    service = foreign.catalog["services"][0]
    service["description"] = "A better database"
    service["plans"][0] |= {"free": False, "schemas": {}, "maintenance_info": {"version": "2.0.0"}}
    service["plans"][1] = {"id": "plan-huge", "name": "huge", "description": "More"}
    job = done(api(root).patch(f"{PATH}/{broker.guid}", {"url": foreign.url}))
    assert [warning["detail"] for warning in job.warnings[:-1]] == [
        "Offering 'db': description was 'A database' and is 'A better database'.",
        "Plan 'small' of 'db': free was yes and is no.",
        "Plan 'small' of 'db': maintenance info: version '1.0.0' before, '2.0.0' now; description removed.",
        "Plan 'huge' of 'db' is new.",
        "Plan 'large' of 'db' is no longer offered; it has 1 instances, which stay.",
    ]
    assert "Plan 'large' of 'db'." in job.warnings[-1]["detail"]
    assert {plan.name: plan.available for plan in Plan.objects.all()} == {"small": True, "large": False, "huge": True}
    service["plans"] = service["plans"][:1]
    done(api(root).patch(f"{PATH}/{broker.guid}", {"url": foreign.url}))
    assert {plan.name for plan in Plan.objects.all()} == {"small", "large"}  # nothing used the third


def test_a_dashboard_client_is_one_services_alone(
    api: Api, root: User, foreign: MisbehavingBroker, register: Register
) -> None:
    broker = register()
    service = foreign.catalog["services"][0]
    service["dashboard_client"] = {"id": "sso", "secret": "s", "redirect_uri": "https://example.org/"}
    for _ in range(2):  # its own is no hindrance
        assert done(api(root).patch(f"{PATH}/{broker.guid}", {"url": foreign.url})).state == "COMPLETE"
    with misbehaving() as second:
        second.catalog["services"] = [service | {"name": "other"}]
        refused = done(api(root).post(PATH, body(second, name="other", allowed_networks=HERE)))
        assert "Service 'other': Service dashboard client id must be unique" in refused.errors[0]["detail"]
        assert not Offering.objects.filter(name="other").exists()
        del service["dashboard_client"]
        done(api(root).patch(f"{PATH}/{broker.guid}", {"url": foreign.url}))
        other = ServiceBroker.objects.get(name="other")
        assert done(api(root).patch(f"{PATH}/{other.guid}", {"url": second.url})).state == "COMPLETE"


def test_an_update_that_fails_changes_nothing(
    api: Api, root: User, foreign: MisbehavingBroker, register: Register
) -> None:
    broker = register()
    wrong = {"authentication": {"type": "basic", "credentials": {"username": "x", "password": "y"}}}
    job = done(api(root).patch(f"{PATH}/{broker.guid}", wrong))
    assert job.state == "FAILED"
    kept = ServiceBroker.objects.get()
    assert (kept.credentials["username"], kept.state, kept.wish) == (foreign.username, "available", None)


def test_one_operation_at_a_time(api: Api, root: User, foreign: MisbehavingBroker, register: Register) -> None:
    here = f"{PATH}/{register().guid}"
    assert api(root).patch(here, {"url": foreign.url}).status_code == 202
    again = api(root).patch(here, {"url": foreign.url})
    assert again.status_code == 422
    assert told(again) == "Cannot update a broker when other operation is already in progress"
    assert api(root).delete(here).status_code == 422


def test_a_dead_workers_catalogue_is_read_by_another(
    api: Api, root: User, foreign: MisbehavingBroker, register: Register
) -> None:
    broker = register()
    job = job_of(api(root).patch(f"{PATH}/{broker.guid}", {"url": foreign.url}))
    for _ in range(2):  # a hint that comes twice does it once
        work("services.jobs.synchronize", broker.pk)
    job.refresh_from_db()
    assert job.state == "COMPLETE" and len(foreign.asked("catalog")) == 2


def test_a_broker_with_instances_stays(
    api: Api, root: User, space: Space, register: Register, recorded: Callable[[str], AuditEvent], now: Any
) -> None:
    here = f"{PATH}/{register().guid}"
    instance = instance_of(Plan.objects.get(name="small"), space)
    refused = api(root).delete(here)
    assert refused.status_code == 422
    assert told(refused) == "Can not remove brokers that have associated service instances: foreign"
    ServiceInstance.objects.filter(pk=instance.pk).update(removed_at=now)
    assert "has still to delete instances" in told(api(root).delete(here))
    instance.delete()
    assert job_of(api(root).delete(here)).state == "COMPLETE"
    assert recorded("audit.service_broker.delete").target_name == "foreign"
    assert not Offering.objects.exists()
    assert api(root).delete(here).status_code == 404  # twice


def test_brokers_are_listed_and_found(
    api: Api, root: User, space: Space, register: Register, django_assert_num_queries: Any
) -> None:
    register()
    register(space, name="own")
    with django_assert_num_queries(2):
        listed = api(root).get(PATH).json()["resources"]
    assert [broker["name"] for broker in listed] == ["foreign", "own"]
    for query, names in (("names=own", ["own"]), (f"space_guids={space.guid}", ["own"]), ("names=x", [])):
        assert [each["name"] for each in api(root).get(f"{PATH}?{query}").json()["resources"]] == names


def test_credentials_are_encrypted_where_they_lie(register: Register, foreign: MisbehavingBroker) -> None:
    from django.db import connection

    register()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM services_servicebroker t")
        assert foreign.password not in str(cursor.fetchall())


def test_the_organization_of_a_space_broker_is_in_the_record(
    space: Space, org: Organization, register: Register, recorded: Callable[[str], AuditEvent]
) -> None:
    register(space)
    assert recorded("audit.service_broker.create").organization_guid == org.guid
