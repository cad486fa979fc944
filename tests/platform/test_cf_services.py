"""Every service command of the unmodified `cf`, against a broker over HTTP. Needs `cf` (version 8) on the PATH."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform import apps
from tests.platform.client import Client, wait_until
from tests.platform.test_cf import Terminal, folder, terminal
from tests.services.broker import CATALOG, MisbehavingBroker, fails, misbehaving

pytestmark = [
    pytest.mark.skipif(shutil.which("cf") is None, reason="the cf command line is not on the PATH"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def organization(root: Client, space: Any) -> str:
    guid = space["relationships"]["organization"]["data"]["guid"]
    return str(root.call("GET", f"/v3/organizations/{guid}")["name"])


@pytest.fixture
def cf(tmp_path: Path, alice: Client, organization: str, space: Any) -> Terminal:
    return terminal(tmp_path / "alice", alice, organization, space["name"])


@pytest.fixture
def admin(tmp_path: Path, root: Client, organization: str, space: Any) -> Terminal:
    return terminal(tmp_path / "root", root, organization, space["name"])


@pytest.fixture
def broker() -> Iterator[MisbehavingBroker]:
    with misbehaving() as made:
        yield made


@pytest.fixture
def offering(root: Client, broker: MisbehavingBroker, name: str) -> Iterator[str]:
    """An offering of the broker's that everybody may use, under a name of its own."""
    broker.catalog["services"][0] |= {"name": f"db-{name}", "id": f"id-{name}"}
    for plan in broker.catalog["services"][0]["plans"]:
        plan["id"] = f"{plan['id']}-{name}"
    assert CATALOG["services"][0]["name"] == "db"
    credentials = {"username": broker.username, "password": broker.password}
    body: dict[str, Any] = {"name": name, "url": broker.url, "allowed_networks": ["127.0.0.0/8"]}
    root.call("POST", "/v3/service_brokers", body | {"authentication": {"type": "basic", "credentials": credentials}})
    for plan in root.call("GET", f"/v3/service_plans?service_broker_names={name}")["resources"]:
        root.call("POST", f"/v3/service_plans/{plan['guid']}/visibility", {"type": "public"})
    yield f"db-{name}"
    found = root.only(f"/v3/service_offerings?service_broker_names={name}")
    root.call("DELETE", f"/v3/service_offerings/{found['guid']}?purge=true")
    root.call("DELETE", f"/v3/service_brokers/{root.only(f'/v3/service_brokers?names={name}')['guid']}")


def test_instances_keys_and_sharing(
    cf: Terminal, admin: Terminal, organization: str, broker: MisbehavingBroker, offering: str, name: str
) -> None:
    assert offering in cf("marketplace") and "small" in cf("marketplace", "-e", offering)
    said = cf("create-service", offering, "small", "data", "-c", '{"size": 1}', "-t", "red, blue", "--wait")
    assert "OK" in said and "created" in said
    assert "already exists" in cf("create-service", offering, "small", "data")
    assert "create succeeded" in cf("services") and offering in cf("services")
    shown = cf("service", "data")
    assert "small" in shown and "red, blue" in shown and "succeeded" in shown and "https://example.org/db" in shown
    said = cf("service", "data", "--params")
    assert json.loads(said[said.index("{") :]) == {"size": 1}
    cf("update-service", "data", "-c", '{"size": 2}', "-t", "green", "--wait")
    cf("update-service", "data", "-p", "large", "--wait")
    assert "large" in cf("service", "data") and "green" in cf("service", "data")
    broker.catalog["services"][0]["plans"][1]["maintenance_info"] = {"version": "2.0.0"}
    admin("update-service-broker", name, broker.username, broker.password, broker.url)
    wait_until(lambda: "upgrade available" in cf("services").lower() or "yes" in cf("services"), "the upgrade")
    assert "OK" in cf("upgrade-service", "data", "--force", "--wait")
    cf("rename-service", "data", "records")

    cf("create-service-key", "records", "mine", "-c", '{"role": "reader"}', "--wait")
    assert "mine" in cf("service-keys", "records")
    assert "db://user:secret-" in cf("service-key", "records", "mine")
    assert "already exists" in cf("create-service-key", "records", "mine")
    cf("delete-service-key", "records", "mine", "-f", "--wait")
    assert broker.bindings == {}

    admin("create-space", "staging", "-o", organization)
    admin("share-service", "records", "-s", "staging")
    assert "staging" in admin("service", "records")
    admin("unshare-service", "records", "-s", "staging", "-f")

    broker.polls = 3
    assert "in progress" in cf("delete-service", "records", "-f")
    wait_until(lambda: broker.instances == {}, "the deletion")
    wait_until(lambda: "No service" in cf("services"), "the instance to be gone")
    broker.polls = 0
    broker.next("provision", fails(400, description="No room in the cellar"))
    said = cf.fails("create-service", offering, "small", "full", "--wait")
    assert "No room in the cellar" in said and "create failed" in cf("services")
    cf("delete-service", "full", "-f", "--wait")
    cf("create-service", offering, "small", "purged", "--wait")
    admin("purge-service-instance", "purged", "-f")
    assert "did not exist" in cf("delete-service", "purged", "-f")


def test_apps_are_bound(
    cf: Terminal, alice: Client, broker: MisbehavingBroker, offering: str, name: str, tmp_path: Path
) -> None:
    cf("create-service", offering, "small", "data", "--wait")
    cf("cups", "legacy", "-p", '{"uri": "postgres://u:p@db.example.org/x"}', "-t", "old")
    assert "user-provided" in cf("services") and "old" in cf("service", "legacy")
    source = folder(tmp_path / "source", apps.server("bound"))
    manifest = {
        "applications": [{"name": name, "memory": "128M", "services": [{"name": "data", "binding_name": "db"}]}]
    }
    (source / "manifest.yml").write_text(json.dumps(manifest))
    broker.polls = 2
    cf("push", "-f", str(source / "manifest.yml"), "-p", str(source))
    services = json.loads(alice.fetch(name, "/env/VCAP_SERVICES").text)
    assert services[offering][0]["name"] == "db" and "secret-" in services[offering][0]["credentials"]["uri"]
    broker.polls = 0
    assert name in cf("service", "data") and "VCAP_SERVICES" in cf("env", name)
    assert "OK" in cf("bind-service", name, "legacy") and "already bound" in cf("bind-service", name, "legacy")
    cf("restart", name)
    assert alice.fetch(name, "/env/DATABASE_URL").text == "postgres://u:p@db.example.org/x"
    cf("uups", "legacy", "-p", '{"uri": "mysql://u:p@db.example.org/x"}')
    cf("unbind-service", name, "legacy")
    cf("bind-service", name, "legacy")
    app = alice.only(f"/v3/apps?names={name}")
    alice.call("PATCH", f"/v3/apps/{app['guid']}/features/service-binding-k8s", {"enabled": True})
    cf("restart", name)
    root = alice.fetch(name, "/env/SERVICE_BINDING_ROOT").text
    assert root == "/etc/cf-service-bindings"
    said = cf(
        "run-task", name, "--command", f"cat {root}/db/uri {root}/legacy/type; echo x > {root}/db/uri || true", "--wait"
    )
    assert "has" in said or "OK" in said
    wait_until(lambda: "db://user:secret-" in cf("logs", name, "--recent"), "the file's content in the log")
    assert "Read-only file system" in cf("logs", name, "--recent")
    assert "OK" in cf("unbind-service", name, "data", "--wait") and broker.bindings == {}
    cf("bind-service", name, "data", "--wait")
    cf("delete", name, "-f", "-r")
    wait_until(lambda: broker.bindings == {}, "the unbinding")
    cf("delete-service", "data", "-f", "--wait")
    cf("delete-service", "legacy", "-f")
    assert "No service" in cf("services")
