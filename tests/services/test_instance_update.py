"""Changing instances: names and tags at once, plans, parameters and versions by the broker."""

from __future__ import annotations

import pytest

from accounts.models import Job, UsageEvent
from services.actions import instance as instances
from services.models import Offering, Plan
from tests.services.broker import fails


def path(instance):
    return f"/v3/service_instances/{instance.guid}"


def details(answer):
    return answer.json()["errors"][0]["detail"]


def changed(client, instance, settle, **body):
    answer = client.patch(path(instance), body)
    assert (answer.status_code, answer.content) == (202, b""), answer.content
    row = settle(instance)
    return row, Job.objects.get(guid=answer.headers["Location"].rpartition("/")[2])


def test_name_tags_and_labels_change_at_once(api, alice, instance, foreign, recorded):
    body = {"name": "other", "tags": ["a"], "metadata": {"labels": {"team": "x"}}}
    told = api(alice).patch(path(instance), body)
    assert told.status_code == 200 and told.json()["name"] == "other" and told.json()["tags"] == ["a"]
    assert told.json()["metadata"]["labels"] == {"team": "x"}
    assert not foreign.asked("update")
    event = recorded("audit.service_instance.update")
    assert event.data["changes"]["name"] == ["data", "other"] and event.target_name == "other"


def test_a_broker_that_wants_to_know_is_told_the_name(api, alice, instance, foreign, settle):
    Offering.objects.update(allow_context_updates=True)
    row, job = changed(api(alice), instance, settle, name="other")
    assert (row.name, job.state) == ("other", "COMPLETE")
    assert foreign.asked("update")[0].body["context"]["instance_name"] == "other"


def test_the_plan_is_changed_by_the_broker(api, alice, instance, plans, foreign, settle, recorded):
    plan = {"relationships": {"service_plan": {"data": {"guid": plans["large"].guid}}}}
    row, job = changed(api(alice), instance, settle, **plan)
    assert (row.plan.name, job.state, row.operation_type) == ("large", "COMPLETE", "update")
    call = foreign.asked("update")[0]
    assert call.body["plan_id"] == "plan-large" and call.body["previous_values"]["plan_id"] == "plan-small"
    assert UsageEvent.objects.filter(state="UPDATED", plan_name="large").exists()
    assert recorded("audit.service_instance.update").data["changes"]["plan"] == ["small", "large"]


def test_parameters_are_sent_and_kept(api, alice, instance, foreign, settle):
    row, _job = changed(api(alice), instance, settle, parameters={"size": 3})
    assert foreign.asked("update")[0].body["parameters"] == {"size": 3}
    assert row.parameters == {"password": "swordfish", "size": 3}


def test_an_upgrade_goes_to_the_plans_version(api, alice, instance, foreign, settle):
    Plan.objects.filter(name="small").update(maintenance_info={"version": "2.0.0"})
    assert api(alice).get(path(instance)).json()["upgrade_available"] is True
    wrong = api(alice).patch(path(instance), {"maintenance_info": {"version": "9.9.9"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["title"]) == (422, "CF-MaintenanceInfoConflict")
    row, _job = changed(api(alice), instance, settle, maintenance_info={"version": "2.0.0"})
    assert row.maintenance_info == {"version": "2.0.0"} and not row.upgrade_available
    assert foreign.asked("update")[0].body["maintenance_info"] == {"version": "2.0.0"}


def test_what_the_broker_refuses_leaves_all_as_it_was(api, alice, instance, plans, foreign, settle):
    foreign.next("update", fails(422, description="Too small"))
    plan = {"relationships": {"service_plan": {"data": {"guid": plans["large"].guid}}}}
    row, job = changed(api(alice), instance, settle, **plan)
    assert (row.plan.name, job.state, row.operation_state) == ("small", "FAILED", "failed")
    assert "Too small" in job.errors[0]["detail"]


def test_one_operation_at_a_time(api, alice, instance, plans):
    instances.update(alice, instance, parameters={"a": 1})
    for answer in (
        api(alice).patch(path(instance), {"parameters": {}}),
        api(alice).patch(path(instance), {"name": "x"}),
    ):
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["code"]) == (409, 60016)
        assert error["title"] == "CF-AsyncServiceInstanceOperationInProgress"
    assert api(alice).delete(path(instance)).status_code == 409


def test_a_plan_that_cannot_be_changed_is_said(api, alice, instance, plans):
    Offering.objects.update(plan_updateable=False)
    plan = {"relationships": {"service_plan": {"data": {"guid": plans["large"].guid}}}}
    answer = api(alice).patch(path(instance), plan)
    assert answer.status_code == 400 and details(answer) == "The service does not support changing plans."


@pytest.mark.parametrize("body", [{"credentials": {}}, {"type": "managed"}, {"name": ""}, {"parameters": "x"}])
def test_a_wrong_body_is_refused(api, alice, instance, body):
    assert api(alice).patch(path(instance), body).status_code == 422


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, instance):
    assert api(bob).patch(path(instance), {"name": "x"}).status_code == 403
    assert api(charlie).patch(path(instance), {"name": "x"}).status_code == 404


def test_parameters_are_read_back_from_the_broker(api, alice, bob, instance, recorded):
    assert api(alice).get(f"{path(instance)}/parameters").json() == {"password": "swordfish"}
    assert recorded("audit.service_instance.show").actor_guid == alice.guid
    assert api(bob).get(f"{path(instance)}/parameters").status_code == 403
    Offering.objects.update(instances_retrievable=False)
    answer = api(alice).get(f"{path(instance)}/parameters")
    assert answer.status_code == 400
    assert details(answer) == "This service does not support fetching service instance parameters."
