"""Calling a task off."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent
from apps.actions import task as tasks
from apps.models import Task
from paas.lib.queue import work


@pytest.fixture
def task(alice, app, droplet, runtime):
    made = tasks.create(alice, app, command="sleep 600")
    work("apps.jobs.run_task", made.pk)
    return Task.objects.get(pk=made.pk)


@pytest.mark.parametrize(("verb", "path"), [("put", "cancel"), ("post", "actions/cancel")])
def test_both_ways_end_it(api, alice, task, runtime, used, recorded, verb, path):
    assert task.state == "RUNNING"
    response = getattr(api(alice), verb)(f"/v3/tasks/{task.guid}/{path}")
    assert (response.status_code, response.json()["state"]) == (202, "CANCELING")
    assert recorded("audit.app.task.cancel").data["task_guid"] == task.guid
    work("apps.jobs.run_task", task.pk)
    told = api(alice).get(f"/v3/tasks/{task.guid}").json()
    assert (told["state"], told["result"]["failure_reason"]) == ("FAILED", "Task was cancelled")
    assert task.guid not in runtime.instances
    assert used().memory_mb == 0


def test_twice_is_harmless_until_it_is_over(api, alice, task, used):
    for _ in range(2):
        assert api(alice).put(f"/v3/tasks/{task.guid}/cancel").status_code == 202
    assert AuditEvent.objects.filter(type="audit.app.task.cancel").count() == 1
    work("apps.jobs.run_task", task.pk)
    response = api(alice).put(f"/v3/tasks/{task.guid}/cancel")
    assert response.status_code == 422
    assert response.json()["errors"][0]["detail"] == "Task state is FAILED and therefore cannot be canceled"


def test_one_that_has_not_begun_never_does(alice, app, droplet, runtime):
    made = tasks.create(alice, app, command="sleep 600")
    tasks.cancel(alice, made)
    work("apps.jobs.run_task", made.pk)
    assert Task.objects.get(pk=made.pk).state == "FAILED"
    assert made.guid not in runtime.instances


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, task):
    assert api(bob).put(f"/v3/tasks/{task.guid}/cancel").status_code == 403
    response = api(charlie).put(f"/v3/tasks/{task.guid}/cancel")
    assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, "Task not found")
