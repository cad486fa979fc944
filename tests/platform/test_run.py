"""Running apps as their users see them: replaced without a failed request, brought back, scaled, stopped, deleted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.platform import apps
from tests.platform.client import Client, wait_until


@contextmanager
def load(client: Client, name: str, *, threads: int = 4) -> Iterator[Counter[str]]:
    """Ask the app without pause for the length of the block; counts what came back."""
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        session = requests.Session()
        while not stop.is_set():
            try:
                answer = session.get(client.url, headers={"Host": f"{name}.apps.localhost:{client.port}"}, timeout=30)
                seen[answer.text if answer.status_code == 200 else f"status {answer.status_code}"] += 1
            except requests.RequestException as error:
                seen[type(error).__name__] += 1

    workers = [threading.Thread(target=ask) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield seen
    finally:
        stop.set()
        for worker in workers:
            worker.join(60)


def test_a_replacement_under_load_fails_no_request(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server("one"))
    with load(alice, name) as seen:
        assert alice.deployed(alice.deploy(app, apps.server("two")))["status"]["reason"] == "DEPLOYED"
        wait_until(lambda: seen["two"] > 200, "answers of the new version")
        alice.call("POST", f"/v3/apps/{app['guid']}/actions/restart")
        wait_until(
            lambda: (
                alice.call("GET", f"/v3/deployments?app_guids={app['guid']}&status_values=ACTIVE")["resources"] == []
            ),
            "the restart",
        )
    assert set(seen) == {"one", "two"}, seen


def test_a_crashed_instance_comes_back_and_says_why_it_went(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    with pytest.raises((requests.RequestException, AssertionError)):
        assert alice.fetch(name, "/exit/3").status_code == 200
    wait_until(lambda: "app.crash" in alice.events(app), "the crash among the events")
    (crash,) = alice.call("GET", f"/v3/audit_events?target_guids={app['guid']}&types=app.crash")["resources"]
    assert (crash["data"]["exit_status"], crash["data"]["exit_description"]) == (3, "exited")
    assert "going down" in crash["data"]["last_lines"]
    alice.running(app)
    wait_until(lambda: alice.fetch(name).status_code == 200, "the app to answer again")


def test_running_out_of_memory_is_called_that(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    alice.call("POST", f"/v3/processes/{app['guid']}/actions/scale", {"memory_in_mb": 64})
    alice.call("POST", f"/v3/apps/{app['guid']}/actions/restart")
    wait_until(lambda: alice.fetch(name, "/env/MEMORY_LIMIT").text == "64m", "the smaller instance to answer alone")
    with pytest.raises((requests.RequestException, AssertionError)):
        assert alice.fetch(name, "/hog").status_code == 200
    wait_until(lambda: "app.crash" in alice.events(app), "the crash among the events")
    (crash,) = alice.call("GET", f"/v3/audit_events?target_guids={app['guid']}&types=app.crash")["resources"]
    assert crash["data"]["exit_description"] == "out of memory"


def test_scaling_takes_effect_at_once(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    alice.call("POST", f"/v3/apps/{app['guid']}/processes/web/actions/scale", {"instances": 3})
    assert len(alice.running(app)) == 3
    served = wait_until(
        lambda: len({alice.fetch(name, "/env/CF_INSTANCE_INDEX").text for _ in range(30)}) == 3, "all three"
    )
    assert served
    alice.call("POST", f"/v3/apps/{app['guid']}/processes/web/actions/scale", {"instances": 1})
    wait_until(lambda: {alice.fetch(name, "/env/CF_INSTANCE_INDEX").text for _ in range(10)} == {"0"}, "only the first")
    assert len(alice.stats(app)) == 1


def test_stop_really_stops_and_start_brings_it_back(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    alice.call("POST", f"/v3/apps/{app['guid']}/actions/stop")
    wait_until(lambda: alice.fetch(name).status_code == 503, "no instance to answer")
    assert alice.fetch(name).headers["Retry-After"]
    assert [each["state"] for each in alice.stats(app)] == ["DOWN"]
    wait_until(lambda: any("got the signal" in text for _, text in alice.logs(app)), "the line of the signal")
    alice.call("POST", f"/v3/apps/{app['guid']}/actions/start")
    alice.running(app)
    assert alice.fetch(name).status_code == 200


def test_one_instance_can_be_restarted(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    (before,) = alice.running(app)
    alice.call("DELETE", f"/v3/apps/{app['guid']}/processes/web/instances/0")
    wait_until(
        lambda: [each["instance_guid"] for each in alice.running(app)] not in ([before["instance_guid"]], [""]),
        "another instance",
    )


def test_variables_reach_the_app_at_its_next_start(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    alice.call("PATCH", f"/v3/apps/{app['guid']}/environment_variables", {"var": {"COLOUR": "teal"}})
    assert alice.fetch(name, "/env/COLOUR").text == ""
    alice.call("POST", f"/v3/apps/{app['guid']}/actions/restart")
    wait_until(lambda: alice.fetch(name, "/env/COLOUR").text == "teal", "the new value")
    assert alice.fetch(name, "/env/PORT").text == "8080"
    assert alice.fetch(name, "/env/MEMORY_LIMIT").text == "1024m"
    assert name in alice.fetch(name, "/env/VCAP_APPLICATION").text


def test_a_task_runs_once_and_says_how_it_ended(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    good = alice.call("POST", f"/v3/apps/{app['guid']}/tasks", {"command": "echo migrated", "name": "migrate"})
    bad = alice.call("POST", f"/v3/apps/{app['guid']}/tasks", {"command": "exit 5"})
    ended = [_ended(alice, task) for task in (good, bad)]
    assert [task["state"] for task in ended] == ["SUCCEEDED", "FAILED"]
    assert "5" in ended[1]["result"]["failure_reason"]
    assert ("APP/TASK/migrate", "migrated") in alice.logs(app)


def _ended(client: Client, task: Any) -> Any:
    path, states = f"/v3/tasks/{task['guid']}", ("SUCCEEDED", "FAILED")
    return wait_until(lambda: (found := client.call("GET", path))["state"] in states and found, "the task to end")


def test_a_deleted_app_is_gone_everywhere(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    alice.call("DELETE", f"/v3/apps/{app['guid']}")
    assert alice.send("GET", f"/v3/apps/{app['guid']}").status_code == 404
    wait_until(lambda: alice.fetch(name).status_code in (404, 503), "its route to answer no more")
    again = alice.create_app(space, name)  # the name is free at once
    assert again["guid"] != app["guid"]


def test_what_one_tenant_has_another_cannot_see(alice: Client, root: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server())
    elsewhere = root.space("elsewhere", name)
    mallory = root.person("mallory", elsewhere)
    for path in ("", "/env", "/processes", "/tasks", "/droplets/current"):
        assert mallory.send("GET", f"/v3/apps/{app['guid']}{path}").status_code == 404
    assert mallory.send("GET", f"/api/v1/read/{app['guid']}").status_code == 404
    assert mallory.call("GET", "/v3/apps")["resources"] == []
