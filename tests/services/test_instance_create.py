"""Creating service instances: the name is taken at once, the broker does the rest in the background."""

from __future__ import annotations

import pytest

from accounts.models import Job, UsageEvent
from services.models import Plan, ServiceInstance
from tenants.models import QuotaUse
from tests.services.broker import fails


def body(space, plan, **fields):
    relationships = {"space": {"data": {"guid": space.guid}}, "service_plan": {"data": {"guid": plan.guid}}}
    return {"type": "managed", "name": "data", "relationships": relationships, **fields}


def job_of(answer):
    assert (answer.status_code, answer.content) == (202, b""), answer.content
    return Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])


def test_an_instance_is_made_by_the_broker(api, alice, space, plans, foreign, settle, recorded):
    job = job_of(api(alice).post("/v3/service_instances", body(space, plans["small"], parameters={"a": 1}, tags=["x"])))
    assert (job.state, job.operation) == ("PROCESSING", "service_instance.create")
    row = settle(ServiceInstance.objects.get())
    told = api(alice).get(f"/v3/service_instances/{row.guid}").json()
    assert (told["last_operation"]["type"], told["last_operation"]["state"]) == ("create", "succeeded")
    assert told["dashboard_url"] == f"https://example.org/{row.guid}"
    assert told["maintenance_info"]["version"] == "1.0.0" and told["upgrade_available"] is False
    (call,) = foreign.asked("provision")
    assert call.body["parameters"] == {"a": 1} and call.body["context"]["instance_name"] == "data"
    assert row.guid in foreign.instances
    job.refresh_from_db()
    assert job.state == "COMPLETE"
    assert recorded("audit.service_instance.create").actor_guid == alice.guid
    assert "a" not in str(
        recorded("audit.service_instance.start_create").data["parameters"].replace("PRIVATE DATA", "")
    )


def test_a_slow_broker_is_polled_as_it_asks(api, alice, space, plans, foreign, settle):
    foreign.polls, foreign.retry_after = 3, "7"
    job = job_of(api(alice).post("/v3/service_instances", body(space, plans["small"])))
    row = settle(ServiceInstance.objects.get(), rounds=2)
    job.refresh_from_db()
    assert (job.state, row.operation_state) == ("POLLING", "in progress")
    assert 4 < (row.due_at - row.operation_updated_at).total_seconds() < 8
    row = settle(row)
    job.refresh_from_db()
    assert (job.state, row.operation_state, len(foreign.asked("poll"))) == ("COMPLETE", "succeeded", 3)


def test_quota_and_usage_follow(alice, api, space, plans, settle):
    api(alice).post("/v3/service_instances", body(space, plans["small"]))
    assert QuotaUse.objects.get(space=space).service_instances == 1
    assert not UsageEvent.objects.filter(kind="service").exists()
    row = settle(ServiceInstance.objects.get())
    event = UsageEvent.objects.get(kind="service")
    assert (event.state, event.resource_guid, event.plan_name) == ("CREATED", row.guid, "small")
    assert event.data["service_offering_name"] == "db"
    space.organization.quota.total_service_instances = 1
    space.organization.quota.save()
    answer = api(alice).post("/v3/service_instances", body(space, plans["small"], name="more"))
    assert answer.status_code == 422 and "services limit" in answer.json()["errors"][0]["detail"]


def test_a_name_is_taken_once(api, alice, space, plans, instance):
    answer = api(alice).post("/v3/service_instances", body(space, plans["small"], name="DATA"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "The service instance name is taken: DATA."
    assert QuotaUse.objects.get(space=space).service_instances == 1


def test_a_paid_plan_needs_a_quota_that_allows_it(api, alice, space, plans):
    space.organization.quota.paid_services_allowed = False
    space.organization.quota.save()
    answer = api(alice).post("/v3/service_instances", body(space, plans["large"]))
    assert answer.status_code == 422 and "paid service plans are not allowed" in answer.json()["errors"][0]["detail"]


def test_a_plan_that_is_not_for_the_space_is_refused(api, alice, space, plans):
    Plan.objects.update(visibility_type="admin")
    answer = api(alice).post("/v3/service_instances", body(space, plans["small"]))
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (422, "CF-UnprocessableEntity")
    assert answer.json()["errors"][0]["detail"].startswith("Invalid service plan.")


def test_what_the_broker_refuses_is_told(api, alice, space, plans, foreign, settle):
    foreign.next("provision", fails(400, description="No room in the cellar"))
    job = job_of(api(alice).post("/v3/service_instances", body(space, plans["small"])))
    row = settle(ServiceInstance.objects.get())
    job.refresh_from_db()
    assert (row.operation_state, job.state) == ("failed", "FAILED")
    assert "No room in the cellar" in row.operation_description
    assert "No room in the cellar" in job.errors[0]["detail"] and job.errors[0]["title"] == "CF-UnableToPerform"
    assert not foreign.asked("deprovision")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "other"},
        {"parameters": [1]},
        {"tags": "x"},
        {"name": ""},
        {"credentials": {}},
        {"tags": ["x" * 2049]},
        {"relationships": {}},
    ],
)
def test_a_wrong_body_is_refused(api, alice, space, plans, change):
    assert api(alice).post("/v3/service_instances", body(space, plans["small"]) | change).status_code == 422
    assert not ServiceInstance.objects.exists()


def test_auditor_is_refused_and_stranger_does_not_know_the_space(api, bob, charlie, space, plans):
    assert api(bob).post("/v3/service_instances", body(space, plans["small"])).status_code == 403
    answer = api(charlie).post("/v3/service_instances", body(space, plans["small"]))
    assert answer.json()["errors"][0]["detail"].startswith("Invalid space.")


def test_auditor_sees_it_and_stranger_does_not(api, bob, charlie, instance):
    path = f"/v3/service_instances/{instance.guid}"
    assert api(bob).get(path).json()["name"] == "data"
    assert api(bob).get(f"{path}/permissions").json() == {"read": True, "manage": False}
    assert api(charlie).get(path).status_code == 404
    assert api(charlie).get("/v3/service_instances").json()["resources"] == []
