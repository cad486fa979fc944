"""The Python library that many teams script with, unmodified."""

from __future__ import annotations

from typing import Any

import pytest
from cloudfoundry_client.client import CloudFoundryClient

from tests.platform import apps
from tests.platform.client import PASSWORD, Client


@pytest.fixture
def library(alice: Client) -> Any:
    client = CloudFoundryClient(f"http://localhost:{alice.port}", verify=False)
    client.init_with_user_credentials(alice.username, PASSWORD)
    return client


def test_it_finds_its_way_and_walks_the_lists(library: Any, alice: Client, space: Any, name: str) -> None:
    made = alice.create_app(space, name)
    assert [each["name"] for each in library.v3.spaces.list()] == ["production"]
    app = library.v3.apps.get(made["guid"])
    assert (app["name"], app["state"]) == (name, "STOPPED")
    assert app.space()["guid"] == space["guid"]
    assert [each["type"] for each in app.processes()] == ["web"]
    assert library.v3.apps.get_env(made["guid"])["environment_variables"] == {}
    assert {each["name"] for each in library.v3.buildpacks.list()} >= {"python_buildpack", "nodejs_buildpack"}
    assert library.v3.organizations.get_first() and library.v3.stacks.get_first()
    assert list(library.v3.service_instances.list()) == []
    assert f"name: {name}" in str(library.v3.apps.get_manifest(made["guid"]))


def test_it_starts_stops_runs_a_task_and_deletes(library: Any, alice: Client, space: Any, name: str) -> None:
    made = alice.create_app(space, name)
    alice.use(made, alice.droplet(made, apps.server()))
    app = library.v3.apps.get(made["guid"])
    assert app.start()["state"] == "STARTED"
    alice.running(made)
    task = library.v3.tasks.create(made["guid"], command="echo hello")
    assert library.v3.tasks.get(task["guid"])["sequence_id"] == 1
    assert app.stop()["state"] == "STOPPED"
    library.v3.apps.remove(made["guid"])
    assert list(library.v3.apps.list(names=name)) == []
