"""Having a broker checked: who may, what is kept, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Job, User
from paas.lib.queue import work
from services.models import ConformanceCheck, Plan, ServiceBroker
from tenants.models import Space
from tests.services.broker import MisbehavingBroker, fails

Api = Callable[[User], Any]
Register = Callable[..., ServiceBroker]
pytestmark = pytest.mark.django_db


def path(broker: ServiceBroker) -> str:
    return f"/v3/service_brokers/{broker.guid}/conformance"


def with_plan(plan: Plan, **more: Any) -> dict[str, Any]:
    return {"relationships": {"service_plan": {"data": {"guid": plan.guid}}}, **more}


def done(reply: Any) -> Job:
    assert reply.status_code == 202, reply.content
    job = Job.objects.get(guid=reply.headers["Location"].rpartition("/")[2])
    go_on()
    job.refresh_from_db()
    return job


def go_on() -> ConformanceCheck:
    ConformanceCheck.objects.exclude(due_at=None).update(due_at=timezone.now())
    work("services.jobs.check_conformance", ConformanceCheck.objects.get().pk)
    return ConformanceCheck.objects.get()


def names(told: dict[str, Any], outcome: str) -> set[str]:
    return {each["name"] for each in told["findings"] if each["outcome"] == outcome}


def test_a_check_is_asked_for_and_its_result_kept(
    api: Api, root: User, plans: dict[str, Plan], foreign: MisbehavingBroker
) -> None:
    broker = plans["small"].offering.broker
    assert api(root).get(path(broker)).status_code == 404
    job = done(api(root).post(path(broker), with_plan(plans["small"], parameters={"password": "swordfish"})))
    assert job.state == "COMPLETE"
    assert any(each["detail"].startswith("provision.unknown_plan (failed)") for each in job.warnings)
    told = api(root).get(path(broker)).json()
    assert told["ended_at"] and told["left"] == [] and len(told["findings"]) == told["checks"] + 1
    assert "bind.create" in names(told, "passed") and "version.old" in names(told, "advice")
    assert told["findings"][0]["link"].endswith("#catalog-management")
    assert "swordfish" not in str(told) and foreign.password not in str(told)
    assert not foreign.instances and not foreign.bindings
    assert foreign.asked("provision")[-1].body["parameters"] == {"password": "swordfish"}


def test_without_a_plan_nothing_is_made(
    api: Api, root: User, plans: dict[str, Plan], foreign: MisbehavingBroker
) -> None:
    done(api(root).post(path(plans["small"].offering.broker), {}))
    assert {call.what for call in foreign.calls} == {"catalog"}


def test_a_developer_checks_the_spaces_own_broker(
    api: Api, alice: User, bob: User, charlie: User, space: Space, register: Register
) -> None:
    broker = register(space)
    plan = Plan.objects.get(name="small")
    assert api(bob).post(path(broker), {}).status_code == 403
    assert api(charlie).post(path(broker), {}).status_code == 404
    assert done(api(alice).post(path(broker), with_plan(plan))).state == "COMPLETE"
    assert [api(user).get(path(broker)).status_code for user in (alice, bob, charlie)] == [200, 200, 404]


def test_only_admins_check_what_serves_all(api: Api, alice: User, dora: User, plans: dict[str, Plan]) -> None:
    for caller in (alice, dora):
        assert api(caller).post(path(plans["small"].offering.broker), {}).status_code == 404


def test_it_is_audited(api: Api, root: User, plans: dict[str, Plan], recorded: Callable[[str], AuditEvent]) -> None:
    api(root).post(path(plans["small"].offering.broker), with_plan(plans["large"]))
    assert recorded("audit.service_broker.check").data["plan"] == "db large"


def test_one_at_a_time(api: Api, root: User, plans: dict[str, Plan], foreign: MisbehavingBroker) -> None:
    broker = plans["small"].offering.broker
    assert api(root).post(path(broker), {}).status_code == 202
    again = api(root).post(path(broker), {})
    assert again.status_code == 422 and "under way" in again.json()["errors"][0]["detail"]
    gone = api(root).delete(f"/v3/service_brokers/{broker.guid}")
    assert gone.status_code == 422 and "is being checked" in gone.json()["errors"][0]["detail"]
    go_on()
    asked = len(foreign.calls)
    go_on()  # a hint that comes twice does it once
    assert len(foreign.calls) == asked
    assert api(root).post(path(broker), {}).status_code == 202


def test_a_plan_of_another_broker_is_not_known(
    api: Api, root: User, space: Space, plans: dict[str, Plan], register: Register
) -> None:
    other = register(space, name="other")
    reply = api(root).post(path(other), with_plan(plans["small"]))
    assert reply.status_code == 422 and reply.json()["errors"][0]["detail"].startswith("Invalid service plan.")


def test_the_platforms_own_broker_is_not_checked(api: Api, root: User) -> None:
    own = ServiceBroker.objects.create(name="own", kind="container")
    reply = api(root).post(path(own), {})
    assert reply.status_code == 422 and "the platform's own" in reply.json()["errors"][0]["detail"]


def test_what_the_broker_does_not_let_go_of_is_removed_later(
    api: Api, root: User, plans: dict[str, Plan], foreign: MisbehavingBroker
) -> None:
    foreign.always("deprovision", fails(500))
    broker = plans["small"].offering.broker
    done(api(root).post(path(broker), with_plan(plans["small"])))
    told = api(root).get(path(broker)).json()
    assert "cleanup" in names(told, "failed") and set(told["left"]) == set(foreign.instances)
    row = go_on()
    assert row.due_at and row.left
    foreign.always("deprovision", None)
    row = go_on()
    assert not row.left and row.due_at is None and not foreign.instances


def test_what_a_dead_worker_left_is_removed(
    api: Api, root: User, plans: dict[str, Plan], foreign: MisbehavingBroker
) -> None:
    broker = plans["small"].offering.broker
    api(root).post(path(broker), with_plan(plans["small"]))
    foreign.instances["dead-worker"] = {"plan_id": "plan-small"}
    made = {"service_id": "offering-1", "plan_id": "plan-small", "binding": ""}
    ConformanceCheck.objects.update(left={"dead-worker": made})
    row = go_on()
    assert row.ended_at and not row.left and not foreign.instances


def test_parameters_are_encrypted_where_they_lie(api: Api, root: User, plans: dict[str, Plan]) -> None:
    from django.db import connection

    api(root).post(path(plans["small"].offering.broker), with_plan(plans["small"], parameters={"a": "swordfish"}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM services_conformancecheck t")
        assert "swordfish" not in str(cursor.fetchall())
