"""What instances do: the figures that clients read, and restarting one."""

from __future__ import annotations

import pytest

from apps.jobs.look import look, note
from apps.models import Process

WHOLE = ("index", "uptime", "mem_quota", "disk_quota", "fds_quota", "log_rate_limit")


def stats(client, app, type="web"):
    return client.get(f"/v3/apps/{app.guid}/processes/{type}/stats").json()["resources"]


def test_a_running_instance_with_what_it_uses(api, bob, running):
    (told,) = stats(api(bob), running)
    assert (told["type"], told["state"], told["routable"]) == ("web", "RUNNING", True)
    assert told["instance_guid"] == running.running.get().guid
    assert told["host"] == told["instance_internal_ip"] == running.running.get().address
    assert (told["mem_quota"], told["disk_quota"], told["log_rate_limit"]) == (2**30, 2**30, -1)
    assert told["instance_ports"][0]["internal"] == 8080
    assert told["usage"]["mem"] == 2**20
    assert all(type(told[name]) is int for name in WHOLE)
    assert all(type(told["usage"][name]) is int for name in ("mem", "disk", "log_rate"))
    assert told["uptime"] >= 0


def test_every_wanted_instance_is_listed_at_once(api, alice, app, droplet, runtime):
    Process.objects.filter(guid=app.guid).update(instances=3)
    assert [(each["index"], each["state"], "usage" in each) for each in stats(api(alice), app)] == [
        (0, "DOWN", False),
        (1, "DOWN", False),
        (2, "DOWN", False),
    ]
    api(alice).post(f"/v3/apps/{app.guid}/actions/start")
    told = stats(api(alice), app)
    assert [(each["index"], each["state"], each["usage"]) for each in told] == [
        (0, "STARTING", {}),
        (1, "STARTING", {}),
        (2, "STARTING", {}),
    ]


def test_a_process_without_instances_lists_none(api, alice, running):
    assert stats(api(alice), running, "worker") == []


def test_a_version_that_failed_shows_as_crashed_while_the_old_one_serves(api, alice, running, converge, runtime):
    old = running.serving_id
    runtime.memory_mb = 1024  # no room for a second instance beside the first
    api(alice).post(f"/v3/apps/{running.guid}/actions/restart")
    assert converge(running).serving_id == old
    failed = running.deployments.latest("id")
    assert (failed.value, failed.reason, bool(failed.error)) == ("FINALIZED", "CANCELED", True)
    (told,) = stats(api(alice), running)
    assert (told["state"], told["routable"], told["usage"], bool(told["details"])) == ("CRASHED", False, {}, True)


def test_an_instance_that_ended_says_why_and_what_to_do(api, alice, running, runtime):
    row = running.running.get()
    row.ever_ready = False
    row.save()
    runtime.crash(row.guid, status=3, lines=["no database", ""])
    note([row], look([running.guid]))
    (told,) = stats(api(alice), running)
    assert told["details"].startswith(
        "exited, exit status 3. Instance 0 exited with status 3 soon after it was started."
    )
    assert told["details"].endswith("cf logs --recent. Its last line: no database")
    row.ready = True
    row.save()
    assert stats(api(alice), running)[0]["details"] is None


def test_instances_in_brief(api, bob, running):
    told = api(bob).get(f"/v3/processes/{running.guid}/process_instances").json()
    assert [(each["index"], each["state"], type(each["since"])) for each in told["resources"]] == [(0, "RUNNING", int)]
    assert told["links"]["process"]["href"].endswith(f"/v3/processes/{running.guid}")


def test_one_instance_is_restarted(api, alice, running, converge, recorded):
    before = running.running.get().guid
    assert api(alice).delete(f"/v3/apps/{running.guid}/processes/web/instances/0").status_code == 204
    assert api(alice).delete(f"/v3/processes/{running.guid}/instances/0").status_code == 204
    converge(running)
    assert running.running.get().guid != before
    assert recorded("audit.app.process.terminate_instance").data["process_index"] == 0


@pytest.mark.parametrize("index", ["1", "-1", "first", "99999999999"])
def test_an_instance_that_is_not_there_is_not_found(api, alice, running, index):
    response = api(alice).delete(f"/v3/processes/{running.guid}/instances/{index}")
    assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, "Instance not found")


def test_auditor_is_refused_and_stranger_finds_nothing(api, bob, charlie, running):
    assert api(bob).delete(f"/v3/processes/{running.guid}/instances/0").status_code == 403
    for response in (
        api(charlie).get(f"/v3/processes/{running.guid}/stats"),
        api(charlie).get(f"/v3/processes/{running.guid}/process_instances"),
        api(charlie).delete(f"/v3/processes/{running.guid}/instances/0"),
    ):
        assert (response.status_code, response.json()["errors"][0]["detail"]) == (404, "Process not found")
