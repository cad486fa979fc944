"""Running a command once, beside the app."""

from __future__ import annotations

import pytest

from accounts.models import UsageEvent
from apps.actions import app as apps
from apps.models import Address, Task
from apps.v3.shapes.running import HIDDEN, HIDDEN_IN_LISTS
from paas.lib.queue import work
from tenants import access
from tenants.models import FeatureFlag


def run(client, app, **fields):
    return client.post(f"/v3/apps/{app.guid}/tasks", {"command": "bin/migrate", **fields})


def detail(response):
    return response.json()["errors"][0]["detail"]


@pytest.fixture
def perform(runtime):
    def step(guid):
        task = Task.objects.get(guid=guid)
        work("apps.jobs.run_task", task.pk)
        task.refresh_from_db()
        Task.objects.filter(pk=task.pk).update(due_at=task.created_at)
        return task

    return step


def test_a_task_runs_and_ends(api, alice, app, droplet, perform, runtime, used, recorded):
    response = run(api(alice), app, name="migrate", memory_in_mb="256")
    assert response.status_code == 202
    told = response.json()
    assert (told["sequence_id"], told["name"], told["state"]) == (1, "migrate", "PENDING")
    assert (told["memory_in_mb"], told["disk_in_mb"], told["droplet_guid"]) == (256, 1024, droplet.guid)
    assert told["links"]["cancel"]["method"] == "POST"
    assert used().memory_mb == 256
    assert recorded("audit.app.task.create").data["task_name"] == "migrate"
    assert perform(told["guid"]).state == "RUNNING"
    assert runtime.instances[told["guid"]].workload.command == "bin/migrate"
    runtime.finish(told["guid"])
    assert perform(told["guid"]).state == "SUCCEEDED"
    assert used().memory_mb == 0
    assert told["guid"] not in runtime.instances
    assert not Address.objects.filter(instance=told["guid"]).exists()
    assert recorded("audit.app.task.end").data["state"] == "SUCCEEDED"
    states = UsageEvent.objects.filter(kind="task", resource_guid=told["guid"]).values_list("state", flat=True)
    assert list(states) == ["TASK_STARTED", "TASK_STOPPED"]


def test_a_failure_says_why(api, alice, app, droplet, perform, runtime):
    guid = run(api(alice), app).json()["guid"]
    perform(guid)
    runtime.finish(guid, status=3)
    perform(guid)
    told = api(alice).get(f"/v3/tasks/{guid}").json()
    assert (told["state"], told["result"]["failure_reason"]) == ("FAILED", "Exited, exit status 3")


def test_names_and_numbers_are_given(api, alice, app, droplet):
    told = [run(api(alice), app).json() for _ in range(2)]
    assert [each["sequence_id"] for each in told] == [1, 2]
    assert all(len(each["name"]) == 8 for each in told)


def test_a_process_may_be_the_template(api, alice, app, droplet):
    worker = app.processes.get(type="worker")
    worker.memory_mb = 128
    worker.save()
    template = {"process": {"guid": worker.guid}}
    told = api(alice).post(f"/v3/apps/{app.guid}/tasks", {"template": template}).json()
    assert (told["command"], told["memory_in_mb"]) == ("python worker.py", 128)


def test_another_droplet_may_be_named(api, alice, app, droplet, make_droplet):
    older = make_droplet(app)
    assert run(api(alice), app, droplet_guid=older.guid).json()["droplet_guid"] == older.guid


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"command": None}, "Command can't be blank unless a process is given as the template"),
        ({"memory_in_mb": 0}, "Memory in mb must be greater than 0"),
        ({"droplet_guid": "nope"}, "Task must have a droplet."),
        ({"template": {"process": {"guid": "nope"}}}, "Invalid template."),
        ({"when": "now"}, "Unknown field(s): 'when'"),
    ],
)
def test_a_wrong_body_is_refused(api, alice, app, droplet, fields, said):
    response = run(api(alice), app, **fields)
    assert response.status_code == 422
    assert said in detail(response)


def test_without_a_droplet_there_is_no_task(api, alice, app):
    response = run(api(alice), app)
    assert response.status_code == 422
    assert detail(response) == "Task must have a droplet. Specify droplet or assign current droplet to app."


def test_quota_limits_memory_and_number(api, alice, app, droplet, quota, used):
    quota.per_app_tasks, quota.total_memory_mb = 1, 1500
    quota.save()
    assert run(api(alice), app, memory_in_mb=2048).status_code == 422
    assert run(api(alice), app).status_code == 202
    response = run(api(alice), app, memory_in_mb=64)
    assert (response.status_code, "may have 1 tasks at a time" in detail(response)) == (422, True)
    assert used().memory_mb == 1024


def test_beyond_the_machine_there_is_no_task(api, alice, app, droplet, runtime, settings):
    settings.PAAS_MEMORY_MB = 1500
    assert run(api(alice), app).status_code == 202
    assert run(api(alice), app).status_code == 503


def test_the_platform_may_switch_tasks_off(api, alice, app, droplet):
    FeatureFlag.objects.create(name="task_creation", enabled=False)
    assert detail(run(api(alice), app)) == "Feature Disabled: task_creation"


def test_auditor_and_supporter_are_refused_and_stranger_finds_nothing(api, bob, charlie, root, space, app, droplet):
    assert run(api(bob), app).status_code == 403
    access.give(bob, "space_supporter", space, by=root)
    assert run(api(bob), app).status_code == 403
    assert run(api(charlie), app).status_code == 404


def test_deleting_the_app_ends_its_tasks(api, alice, app, droplet, used, recorded):
    run(api(alice), app)
    apps.delete(alice, app)
    assert used().memory_mb == 0
    assert recorded("audit.app.task.end").data["reason"] == "The app was deleted."


def test_commands_are_told_to_who_may_see_secrets(api, alice, bob, app, droplet):
    guid = run(api(alice), app).json()["guid"]
    there = f"/v3/apps/{app.guid}/tasks?per_page=5000&order_by=-created_at"
    assert api(alice).get(there).json()["resources"][0]["command"] == "bin/migrate"
    assert api(bob).get(there).json()["resources"][0]["command"] == HIDDEN
    assert api(alice).get("/v3/tasks").json()["resources"][0]["command"] == HIDDEN_IN_LISTS
    assert api(bob).get(f"/v3/tasks/{guid}").json()["command"] == HIDDEN


def test_filters(api, alice, charlie, app, droplet, space):
    run(api(alice), app, name="one")
    run(api(alice), app, name="two")

    def names(there):
        return [each["name"] for each in api(alice).get(there).json()["resources"]]

    mine = f"/v3/apps/{app.guid}/tasks"
    assert names(f"{mine}?sequence_ids=2&per_page=1&page=1") == ["two"]
    assert names(f"{mine}?names=one") == ["one"]
    assert names(f"/v3/tasks?states=RUNNING&app_guids={app.guid}") == []
    assert names(f"/v3/tasks?states=PENDING,RUNNING&space_guids={space.guid}") == ["one", "two"]
    assert names(f"/v3/tasks?organization_guids={space.organization.guid}&names=two") == ["two"]
    assert api(alice).get(f"{mine}?app_guids={app.guid}").status_code == 400
    assert api(alice).get("/v3/tasks?states=SLEEPING").status_code == 400
    assert api(charlie).get("/v3/tasks").json()["resources"] == []


def test_metadata_changes(api, alice, bob, app, droplet):
    guid = run(api(alice), app, metadata={"labels": {"a": "1"}}).json()["guid"]
    body = {"metadata": {"labels": {"a": None, "b": "2"}}}
    assert api(alice).patch(f"/v3/tasks/{guid}", body).json()["metadata"]["labels"] == {"b": "2"}
    assert api(bob).patch(f"/v3/tasks/{guid}", body).status_code == 403
