"""The guide "Bring your own service", line by line with the unmodified `cf`: the broker is an app of the platform itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.platform.client import Client
from tests.platform.test_cf import Terminal, place, terminal
from tests.services.example import FOLDER

__all__ = ["place"]
pytestmark = [
    pytest.mark.skipif(shutil.which("cf") is None, reason="the cf command line is not on the PATH"),
    pytest.mark.timeout(900),
]
PASSWORD = "choose-a-long-one"


@pytest.fixture
def cf(tmp_path: Path, alice: Client, place: tuple[str, str]) -> Terminal:
    return terminal(tmp_path / "alice", alice, *place)


def test_the_example_is_pushed_registered_used_and_checked(
    cf: Terminal, alice: Client, tmp_path: Path, name: str
) -> None:
    source = shutil.copytree(FOLDER, tmp_path / "broker", ignore=shutil.ignore_patterns("__pycache__", "*.sqlite"))
    cf("push", name, "--no-start", folder=source)
    cf("set-env", name, "BROKER_USERNAME", "platform")
    cf("set-env", name, "BROKER_PASSWORD", PASSWORD)
    cf("set-env", name, "BROKER_KEY", "another-long-one")
    cf("start", name)
    url = f"http://{name}.apps.localhost:{alice.port}"
    cf("create-service-broker", f"{name}-boxes", "platform", PASSWORD, url, "--space-scoped")
    assert "box" in cf("marketplace")
    for plan in ("small", "large"):
        cf("create-service", "box", plan, f"notes-{plan}", "-c", '{"motto": "ours"}', "--wait")
    cf("create-service-key", "notes-large", "mine", "--wait")
    said = cf("service-key", "notes-large", "mine")
    held: dict[str, Any] = json.loads(said[said.index("{") :])["credentials"]
    assert held["uri"].startswith(f"{url}/boxes/")
    path, token = held["uri"].removeprefix(url) + "/greeting", {"Authorization": f"Bearer {held['token']}"}
    assert alice.fetch(name, path, method="PUT", headers=token, data="Hello").status_code == 200
    assert alice.fetch(name, path, headers=token).text == "Hello"
    cf("bind-service", name, "notes-small", "--wait")
    cf("unbind-service", name, "notes-small", "--wait")
    cf("delete-service-key", "notes-large", "mine", "-f", "--wait")
    assert alice.fetch(name, path, headers=token).status_code == 401

    broker = alice.only(f"/v3/service_brokers?names={name}-boxes")
    plan = alice.only(f"/v3/service_plans?service_broker_guids={broker['guid']}&names=large")
    asked = {"relationships": {"service_plan": {"data": {"guid": plan["guid"]}}}}
    assert alice.call("POST", f"/v3/service_brokers/{broker['guid']}/conformance", asked)["warnings"] == []
    told = alice.call("GET", f"/v3/service_brokers/{broker['guid']}/conformance")
    assert told["ended_at"] and told["left"] == [] and len(told["findings"]) == told["checks"] + 1

    for plan_name in ("small", "large"):
        cf("delete-service", f"notes-{plan_name}", "-f", "--wait")
    cf("delete-service-broker", f"{name}-boxes", "-f")
