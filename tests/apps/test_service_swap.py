"""An app takes to another service in the place of one, through the v3 API: nothing is down, and the way back is the same."""

from __future__ import annotations

import json

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEvent
from apps import routing, swaps
from apps.actions import app as apps
from apps.actions import deployment as deployments
from apps.jobs.converge import give_up, plan
from apps.models import App, Deployment, Destination
from apps.workload import workload_for
from paas.lib.queue import work
from services import credentials
from services.actions import binding as bindings
from services.actions import instance as instances
from services.actions import user_provided
from services.models import Binding, ServiceInstance
from tests.services.broker import fails
from tests.services.conftest import foreign, plans, register, settle, synchronize

__all__ = ["foreign", "plans", "register", "settle", "synchronize"]


@pytest.fixture
def make(alice, space, plans, settle):
    """Make an instance at the broker over HTTP."""
    return lambda name: settle(instances.create(alice, space, name=name, plan=plans["small"])[0])


@pytest.fixture
def old(make):
    return make("records")


@pytest.fixture
def new(make):
    return make("restored")


@pytest.fixture
def using(alice, running, old, settle, converge):
    """The app runs with the old one."""
    settle(bindings.create(alice, old, app=running))
    apps.restart(alice, running)
    return converge(running)


@pytest.fixture
def converge(runtime):
    """Let a worker do all that is due for the app, as if time flew."""

    def run(app):
        App.objects.filter(pk=app.pk).update(due_at=timezone.now())
        work("apps.jobs.converge", app.pk)
        return App.objects.get(pk=app.pk)

    return run


def swap(client, app, source, target, **fields):
    ends = {"from": {"data": {"guid": source.guid}}, "to": {"data": {"guid": target.guid}}}
    return client.post(f"/v3/apps/{app.guid}/actions/swap_service", {"relationships": ends, **fields})


def environments(runtime, app):
    """What each instance that runs found, by its deployment's order."""
    there = {each.placement.guid: each for each in runtime.instances.values() if each.workload.app == app.guid}
    rows = App.objects.get(pk=app.pk).running.order_by("deployment")
    return [there[row.guid].workload.environment for row in rows if row.guid in there]


def entries(environment):
    return [entry for each in json.loads(environment["VCAP_SERVICES"]).values() for entry in each]


def used(app):
    """What the next start finds."""
    return [row.instance.name for row in swaps.given(App.objects.get(pk=app.pk))]


def test_the_old_one_serves_until_the_new_instances_are_healthy(
    api, alice, using, old, new, settle, converge, runtime, recorded
):
    answer = swap(api(alice), using, old, new)
    assert answer.status_code == 201 and answer.json()["status"]["value"] == "ACTIVE"
    before = environments(runtime, using)
    app = converge(using)  # it waits for the credentials
    assert app.serving_id != app.target_id and environments(runtime, app) == before
    assert [entry["instance_name"] for entry in entries(before[0])] == used(app) == ["records"]
    settle(new)
    app = converge(app)
    assert app.serving_id == app.target_id and app.serving.guid == answer.json()["guid"]
    (entry,) = entries(environments(runtime, app)[0])
    assert (entry["instance_name"], entry["name"]) == ("restored", "records")  # found as the old one was
    assert used(app) == ["restored"] and Binding.objects.there().filter(app=app).count() == 2
    assert recorded("audit.app.service_swap.create").data["source_name"] == "records"
    assert recorded("audit.app.service_swap.complete").data["target_guid"] == new.guid


def test_credentials_that_come_while_a_worker_looks_leave_no_moment_without_an_instance(
    api, alice, using, old, new, settle, converge, runtime, route, monkeypatch
):
    Destination.objects.create(route=route, app=using, process_type="web", port=8080)
    swap(api(alice), using, old, new)
    observe, publish, seen = runtime.observe, routing.publish, []

    def settled(apps=None):
        settle(new)
        return observe(apps)

    def published():
        (target,) = routing.table(0).routes[0].targets
        seen.append(len(target.endpoints))
        return publish()

    monkeypatch.setattr(runtime, "observe", settled)
    monkeypatch.setattr(routing, "publish", published)
    app = converge(converge(using))
    assert app.serving_id == app.target_id and used(app) == ["restored"]
    assert set(seen) == {1}


def test_twice_is_harmless(api, alice, using, old, new, settle, converge):
    first, second = (swap(api(alice), using, old, new).json()["guid"] for _ in range(2))
    settle(new)
    converge(using)
    assert first == second == swap(api(alice), using, old, new).json()["guid"]
    assert Binding.objects.filter(instance=new).count() == 1


def test_what_is_not_kept_is_unbound_when_the_new_one_serves(api, alice, using, old, new, settle, converge):
    swap(api(alice), using, old, new, keep=False)
    settle(new)
    assert Binding.objects.get(instance=old).operation_state == "succeeded"
    app = converge(using)
    assert settle(Binding.objects.get(instance=old)) is None
    assert used(app) == ["restored"]


def test_swapping_back_uses_what_was_kept(api, alice, using, old, new, settle, converge, runtime):
    kept = Binding.objects.get(instance=old)
    for source, target, found in ((old, new, "restored"), (new, old, "records")):
        assert swap(api(alice), using, source, target).status_code == 201
        settle(new)
        app = converge(using)
        assert used(app) == [found]
        assert [entry["instance_name"] for entry in entries(environments(runtime, app)[0])] == [found]
    assert Binding.objects.get(instance=old).pk == kept.pk and Binding.objects.count() == 2


def test_where_the_new_instances_never_get_healthy_the_app_keeps_the_old_one(
    api, alice, using, old, new, settle, converge, runtime
):
    before = environments(runtime, using)
    swap(api(alice), using, old, new, keep=False)
    settle(new)
    runtime.fail(using.guid)
    coming = App.objects.get(pk=using.pk)
    (failing,) = plan(coming, [coming.target])
    runtime.apply(workload_for(coming, coming.processes.get(type="web"), coming.target, [failing], []))
    for _ in range(3):
        runtime.crash(failing.guid)
    app = converge(using)
    assert app.target_id == app.serving_id and used(app) == ["records"] and environments(runtime, app)[:1] == before
    assert settle(Binding.objects.get(instance=new)) is None
    assert Binding.objects.get().operation_state == "succeeded"
    assert AuditEvent.objects.filter(type="audit.app.revert").exists()


def test_where_the_credentials_cannot_be_made_nothing_changes(api, alice, using, old, new, settle, converge, foreign):
    foreign.next("bind", fails(400, description="No more users"))
    made = Deployment.objects.get(guid=swap(api(alice), using, old, new).json()["guid"])
    settle(new)
    app = converge(using)
    made.refresh_from_db()
    assert made.reason == "CANCELED" and "No more users" in made.error
    assert app.serving_id == app.target_id and used(app) == ["records"]
    assert swap(api(alice), using, old, new).status_code == 201  # it can be tried again


@pytest.mark.parametrize("end", ["cancel", "stop"])
def test_called_off_it_leaves_no_credentials_behind(api, alice, using, old, new, settle, converge, end):
    made = swap(api(alice), using, old, new).json()["guid"]
    settle(new)
    if end == "cancel":
        deployments.cancel(alice, Deployment.objects.get(guid=made))
    else:
        apps.stop(alice, using)
    app = converge(using)
    assert settle(Binding.objects.get(instance=new)) is None
    assert used(app) == ["records"]


def test_a_push_meanwhile_takes_the_swap_along(api, alice, using, old, new, settle, converge, make_droplet):
    swap(api(alice), using, old, new)
    later = deployments.create(alice, using, droplet=make_droplet(using))
    settle(new)
    app = converge(using)
    assert app.serving_id == later.pk and used(app) == ["restored"]


@pytest.mark.parametrize("end", ["a push that fails", "a stop"])
def test_what_serves_keeps_its_credentials_though_it_was_not_called_live_yet(
    api, alice, using, old, new, settle, make_droplet, end
):
    """A worker died when the new instances served, and before it had said that they are live."""
    swap(api(alice), using, old, new)
    settle(new)
    app = App.objects.get(pk=using.pk)
    with transaction.atomic():
        swaps.complete(app.target)
        App.objects.filter(pk=app.pk).update(serving=app.target)
    if end == "a stop":
        apps.stop(alice, app)
    else:
        later = deployments.create(alice, using, droplet=make_droplet(using))
        give_up(App.objects.get(pk=app.pk), later, "It does not start.")
    settle(new)
    assert Binding.objects.get(instance=new).operation_state == "succeeded"
    assert used(using) == ["restored"]


def test_after_a_restart_and_a_rotation_it_holds(api, alice, using, old, new, settle, converge):
    swap(api(alice), using, old, new)
    settle(new)
    app = converge(using)
    settle(bindings.create(alice, new, app=app, name="records", multiple=True))
    apps.restart(alice, app)
    assert used(converge(app)) == ["restored"]
    settle(bindings.delete(alice, Binding.objects.filter(instance=new).earliest("created_at")) and new)
    assert used(app) == ["restored"]
    for row in Binding.objects.filter(instance=new):
        bindings.delete(alice, row)
    settle(new)
    assert used(app) == ["records"]  # what was kept is there again


def test_the_first_databases_address_is_the_new_ones(api, alice, space, running, converge, runtime):
    made = {
        name: user_provided.create(alice, space, name=name, credentials={"uri": f"postgres://u:p@{name}.example/x"})
        for name in ("first", "second", "third")
    }
    for name in ("first", "second"):
        bindings.create(alice, made[name], app=running)
    apps.restart(alice, running)
    app = converge(running)
    assert environments(runtime, app)[0]["DATABASE_URL"] == "postgres://u:p@first.example/x"
    swap(api(alice), app, made["first"], made["third"], keep=False)
    app = converge(app)
    assert environments(runtime, app)[0]["DATABASE_URL"] == "postgres://u:p@third.example/x"
    assert used(app) == ["third", "second"] and not Binding.objects.filter(instance=made["first"]).exists()


def test_the_way_to_the_old_one_stays_open_while_it_is_used(api, alice, using, old, new, settle, converge):
    swap(api(alice), using, old, new)
    settle(new)
    app = converge(using)
    assert {row.instance_id for row in credentials.bound_to(app)} == {old.pk, new.pk}


def test_an_auditor_is_refused_and_a_stranger_sees_nothing(api, bob, charlie, using, old, new):
    assert swap(api(bob), using, old, new).status_code == 403
    assert swap(api(charlie), using, old, new).status_code == 404
    assert using.deployments.count() == 2


def test_what_cannot_be_swapped_is_told(api, alice, using, old, new, make, settle):
    def said(*ends):
        answer = swap(api(alice), *ends)
        assert answer.status_code == 422
        return answer.json()["errors"][0]["detail"]

    assert "does not use restored" in said(using, new, old)
    assert "its own place" in said(using, old, old)
    other = ServiceInstance(guid="nothing")
    assert said(using, old, other) == "The service instance could not be found: 'nothing'"
    swap(api(alice), using, old, new)
    assert "at another swap" in said(using, old, make("third"))
    apps.stop(alice, using)
    assert "does not run" in said(using, old, new)
