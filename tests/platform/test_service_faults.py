"""While databases are made, bound, backed up and restored, their worker is killed and the engine restarted: all comes true."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.host.house import House
from tests.platform.client import Client, belongs, ends, wait_until
from tests.platform.faults import Works, docker, restart_engine

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def works(house: House) -> Works:
    return Works(house)


@pytest.fixture
def plan(root: Client) -> Any:
    path = "/v3/service_plans?names=tiny-15&service_offering_names=postgres"
    return wait_until(lambda: root.call("GET", path)["resources"], "PostgreSQL to be offered")[0]


def asked(client: Client, path: str, body: Any) -> str:
    """Ask for something that takes its time; return where its job is."""
    answer = client.send("POST", path, json=body)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


def database(client: Client, space: Any, plan: Any, **parameters: Any) -> str:
    related = {"relationships": {**ends("space", space), **ends("service_plan", plan)}}
    name = f"data-{secrets.token_hex(2)}"
    return asked(
        client, "/v3/service_instances", {"type": "managed", "name": name, "parameters": parameters, **related}
    )


def binding(client: Client, instance: Any, app: Any) -> str:
    related = {"relationships": {**ends("service_instance", instance), **ends("app", app)}}
    return asked(client, "/v3/service_credential_bindings", {"type": "app", **related})


@pytest.fixture
def source(alice: Client, space: Any, plan: Any) -> Any:
    """A database that there is a backup of."""
    alice.job(database(alice, space, plan))
    made = alice.only(f"/v3/service_instances?space_guids={space['guid']}")
    path = f"/v3/service_instances/{made['guid']}/backups"
    wait_until(lambda: alice.call("GET", path)["resources"], "the first backup", seconds=180)
    return made


def begun(client: Client, space: Any, plan: Any, source: Any) -> list[str]:
    """Begin all four at once; return where their jobs are."""
    app = client.call("POST", "/v3/apps", {"name": f"app-{secrets.token_hex(3)}", **belongs("space", space)})
    return [
        asked(client, f"/v3/service_instances/{source['guid']}/backups", {}),
        binding(client, source, app),
        database(client, space, plan),
        database(client, space, plan, restore_from_point_in_time_of=source["guid"]),
    ]


def all_came_true(works: Works, client: Client, space: Any, jobs: list[str]) -> None:
    """Wait until all is done; there is one container for each instance, and none when they are deleted."""
    for job in jobs:
        client.job(job)
    path = f"/v3/service_instances?space_guids={space['guid']}"
    found = client.call("GET", path)["resources"]
    assert {each["last_operation"]["state"] for each in found} == {"succeeded"}
    guids = {each["guid"] for each in found}
    assert guids <= works.instances()
    for each in found:
        client.call("DELETE", f"/v3/service_instances/{each['guid']}")
    assert client.call("GET", path)["resources"] == []
    left = docker("ps", "--all", "--filter", f"label={works.install.label}", "--format", "{{.Names}}")
    volumes = [
        path.name
        for path in (works.state / "volumes").iterdir()
        if not path.name.removesuffix(".img").endswith("-backups")
    ]
    assert not [guid for guid in guids if guid in left or guid in " ".join(volumes)]


def test_a_killed_worker_leaves_its_work_to_the_next(
    works: Works, alice: Client, space: Any, plan: Any, source: Any
) -> None:
    jobs = begun(alice, space, plan, source)
    works.kill_worker("services")
    all_came_true(works, alice, space, jobs)


@pytest.mark.engine_restart
def test_a_restart_of_the_engine_holds_it_up_and_stops_nothing(
    works: Works, alice: Client, space: Any, plan: Any, source: Any
) -> None:
    jobs = begun(alice, space, plan, source)
    restart_engine()
    all_came_true(works, alice, space, jobs)
