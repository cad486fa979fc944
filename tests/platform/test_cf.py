"""The unmodified `cf` command line, as a developer types it. Needs `cf` (version 8) on the PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.platform import apps
from tests.platform.client import PASSWORD, Client, wait_until

pytestmark = [
    pytest.mark.skipif(shutil.which("cf") is None, reason="the cf command line is not on the PATH"),
    pytest.mark.timeout(900),
]
Cf = Callable[..., str]


class Terminal:
    """A person's terminal, with a home of its own."""

    def __init__(self, home: Path, client: Client) -> None:
        self.home, self.client = home, client
        self.environment = {**os.environ, "CF_HOME": str(home), "CF_COLOR": "false", "LANG": "C.UTF-8"}

    def run(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["cf", *words], cwd=folder or self.home, env=self.environment, capture_output=True, text=True, timeout=600
        )

    def __call__(self, *words: str, folder: Path | None = None) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self.run(*words, folder=folder)
        assert done.returncode == 0, f"cf {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def fails(self, *words: str, folder: Path | None = None) -> str:
        done = self.run(*words, folder=folder)
        assert done.returncode == 1, f"cf {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


def terminal(home: Path, client: Client, *target: str) -> Terminal:
    home.mkdir(exist_ok=True)
    cf = Terminal(home, client)
    cf("api", f"http://localhost:{client.port}")
    cf("auth", client.username, PASSWORD)
    if target:
        cf("target", "-o", target[0], "-s", target[1])
    return cf


@pytest.fixture
def place(root: Client, space: Any) -> tuple[str, str]:
    guid = space["relationships"]["organization"]["data"]["guid"]
    return root.call("GET", f"/v3/organizations/{guid}")["name"], space["name"]


@pytest.fixture
def cf(tmp_path: Path, alice: Client, place: tuple[str, str]) -> Terminal:
    return terminal(tmp_path / "alice", alice, *place)


@pytest.fixture
def admin(tmp_path: Path, root: Client, place: tuple[str, str]) -> Terminal:
    return terminal(tmp_path / "root", root, *place)


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def test_a_robot_signs_in_with_its_key(tmp_path: Path, root: Client, space: Any, place: tuple[str, str]) -> None:
    owner = {"organization": {"data": {"guid": space["relationships"]["organization"]["data"]["guid"]}}}
    here = f"http://localhost:{root.port}"
    robot = root.call("POST", "/v3/robots", {"name": "deploy", "relationships": owner})
    keys = f"/v3/robots/{robot['guid']}/keys"
    key = root.call("POST", keys, {"name": "ci"})
    admin, cf = terminal(tmp_path / "root", root), Terminal(tmp_path, root)
    admin("set-space-role", robot["client_id"], *place, "SpaceDeveloper", "--client")
    assert f"{robot['client_id']} (client)" in admin("space-users", *place)
    cf("api", here)
    cf("auth", robot["client_id"], key["secret"], "--client-credentials")
    cf("target", "-o", place[0], "-s", place[1])
    cf("create-app", "made-by-a-robot")
    address = root.call("GET", f"{keys}/{key['guid']}")["last_used_address"]
    assert address  # as the router told it
    root.call("PATCH", f"/v3/robots/{robot['guid']}", {"address_ranges": ["2001:db8::/32"]})
    assert f"may not be used from {address}" in cf.fails("apps")
    root.call("PATCH", f"/v3/robots/{robot['guid']}", {"address_ranges": [address]})
    assert "made-by-a-robot" in cf("apps")
    root.call("DELETE", f"{keys}/{key['guid']}")
    cf.fails("apps")


def test_push_and_what_follows(cf: Terminal, alice: Client, name: str, tmp_path: Path) -> None:
    source = folder(tmp_path / "source", apps.server("pushed"))
    said = cf("push", name, "-p", str(source), "-m", "256M")
    assert re.search(r"state\s+since", said) and "#0   running" in said
    assert "Installing" in said or "python" in said.lower()  # the build's own lines
    assert alice.fetch(name).text == "pushed"

    assert name in cf("apps") and f"{name}.apps.localhost" in cf("app", name)
    cf("set-env", name, "COLOUR", "teal")
    assert "COLOUR:" in cf("env", name) and "VCAP_APPLICATION" in cf("env", name)
    cf("restart", name)
    assert alice.fetch(name, "/env/COLOUR").text == "teal"
    cf("unset-env", name, "COLOUR")
    cf("scale", name, "-i", "2")
    wait_until(lambda: "2/2" in cf("app", name), "both instances")
    cf("scale", name, "-m", "128M", "-f")
    assert "128M" in cf("app", name)
    cf("restart-app-instance", name, "1")
    wait_until(lambda: "2/2" in cf("app", name), "both instances")

    alice.fetch(name, "/say/a-line-to-find")
    wait_until(lambda: "a-line-to-find" in cf("logs", name, "--recent"), "the line in the recent logs")
    assert "[RTR/" in cf("logs", name, "--recent")
    assert "audit.app.create" in cf("events", name)

    (tmp_path / "source" / "server.py").write_text(apps.server("second")["server.py"])
    said = cf("push", name, "-p", str(source), "--strategy", "rolling")
    assert alice.fetch(name).text == "second"
    assert "1" in cf("revisions", name)
    cf("rollback", name, "--version", "1", "-f")
    assert alice.fetch(name).text == "pushed"

    assert "web" in cf("get-health-check", name)
    cf("set-health-check", name, "http", "--endpoint", "/")
    assert "http" in cf("get-health-check", name)
    cf("run-task", name, "--command", "echo done", "--name", "once", "--wait")
    assert "once" in cf("tasks", name)
    assert "ready" in cf("packages", name)
    assert "staged" in cf("droplets", name)
    cf("download-droplet", name, "--path", str(tmp_path / "droplet.tgz"))
    assert (tmp_path / "droplet.tgz").stat().st_size > 1000
    cf("create-app-manifest", name, "-p", str(tmp_path / "manifest.yml"))
    assert f"name: {name}" in (tmp_path / "manifest.yml").read_text()
    cf("restage", name)
    cf("stop", name)
    assert "stopped" in cf("app", name)
    cf("start", name)
    cf("rename", name, f"{name}-b")
    cf("delete", f"{name}-b", "-r", "-f")
    assert name not in cf("apps")
    assert name not in cf("routes")


def test_a_manifest_of_two_apps(cf: Terminal, alice: Client, name: str, tmp_path: Path) -> None:
    folder(tmp_path / "one", apps.server("one"))
    folder(tmp_path / "two", apps.static("two"))
    (tmp_path / "manifest.yml").write_text(
        f"""---
applications:
- name: {name}-one
  path: one
  memory: 128M
  env: {{COLOUR: teal}}
  routes:
  - route: {name}-one.apps.localhost
  - route: {name}.apps.localhost/one
- name: {name}-two
  path: two
  memory: 64M
  instances: 2
"""
    )
    cf("push", "-f", str(tmp_path / "manifest.yml"))
    assert alice.fetch(f"{name}-one", "/env/COLOUR").text == "teal"
    assert alice.fetch(name, "/one").text == "one"
    assert alice.fetch(f"{name}-two").text == "two"


def test_variants_of_push(cf: Terminal, alice: Client, name: str, tmp_path: Path) -> None:
    source = folder(tmp_path / "source", apps.server("late"))
    cf("push", name, "-p", str(source), "--no-start", "--no-route")
    assert "stopped" in cf("app", name)
    cf("start", name)
    said = cf("push", f"{name}-r", "-p", str(source), "--random-route", "-i", "2", "-m", "64M", "-k", "128M")
    assert "2/2" in said and re.search(rf"routes:\s+{name}-r-\S+\.apps\.localhost", said)
    said = cf("push", f"{name}-c", "-p", str(source), "-b", "python_buildpack", "-c", "python3 server.py --x")
    assert "python3 server.py --x" in said
    assert "unknown buildpack" in cf.fails("push", f"{name}-x", "-p", str(source), "-b", "no_such_buildpack")


def test_a_broken_push_says_why_in_the_terminal(cf: Terminal, name: str, tmp_path: Path) -> None:
    said = cf.fails("push", name, "-p", str(folder(tmp_path / "nothing", {"README": "x"})))
    assert "NoAppDetectedError" in said and "Procfile" in said
    said = cf.fails("push", name, "-p", str(folder(tmp_path / "exits", apps.procfile("echo no database; exit 3"))))
    assert "Start unsuccessful" in said or "crashed" in said.lower()
    assert "no database" in cf("logs", name, "--recent")


def test_people_organizations_and_spaces(admin: Terminal, root: Client, name: str) -> None:
    admin("create-org", name)
    assert name in admin("orgs") and name in admin("org", name)
    admin("target", "-o", name)
    admin("create-space", "dev")
    assert "dev" in admin("spaces") and "dev" in admin("space", "dev")
    person = f"{name}@example.org"
    admin("create-user", person, PASSWORD)
    admin("set-org-role", person, name, "OrgManager")
    admin("set-space-role", person, name, "dev", "SpaceDeveloper")
    assert person in admin("org-users", name) and person in admin("space-users", name, "dev")
    admin("unset-space-role", person, name, "dev", "SpaceDeveloper")
    assert person not in admin("space-users", name, "dev")
    admin("unset-org-role", person, name, "OrgManager")
    admin("rename-space", "dev", "prod")
    admin("rename-org", name, f"{name}-b")
    admin("delete-space", "prod", "-o", f"{name}-b", "-f")
    admin("delete-org", f"{name}-b", "-f")
    admin("delete-user", person, "-f")
    assert name not in admin("orgs")


def test_routes_and_domains(cf: Terminal, admin: Terminal, place: tuple[str, str], name: str) -> None:
    assert "apps.localhost" in cf("domains")
    cf("create-app", name)
    cf("create-route", "apps.localhost", "--hostname", name)
    cf("map-route", name, "apps.localhost", "--hostname", name, "--path", "/deep")
    assert name in cf("routes") and "/deep" in cf("routes")
    assert "does exist" in cf("check-route", "apps.localhost", "--hostname", name)
    cf("unmap-route", name, "apps.localhost", "--hostname", name, "--path", "/deep")
    cf("delete-route", "apps.localhost", "--hostname", name, "-f")
    cf("delete-orphaned-routes", "-f")
    assert name not in cf("routes")
    admin("create-private-domain", place[0], f"{name}.example.org")
    assert f"{name}.example.org" in cf("domains")
    admin("delete-private-domain", f"{name}.example.org", "-f")
    admin("create-shared-domain", f"{name}.example.net")
    admin("delete-shared-domain", f"{name}.example.net", "-f")


def test_what_an_admin_reads_and_sets(admin: Terminal, cf: Terminal, name: str) -> None:
    assert "python_buildpack" in cf("buildpacks") and "debian12" in cf("stacks")
    admin("update-buildpack", "binary_buildpack", "--disable")
    assert re.search(r"binary_buildpack\s+\S+\s+false", admin("buildpacks"))
    admin("update-buildpack", "binary_buildpack", "--enable")
    assert "default" in admin("org-quotas")
    assert "space quota" in cf("space-quotas").lower() or "No" in cf("space-quotas")
    assert "task_creation" in cf("feature-flags")
    admin("set-label", "space", "production", "stage=live")
    assert "production" in admin("spaces", "--labels", "stage=live")
    assert '"name":"production"' in cf("curl", "/v3/spaces?names=production")
    assert cf("oauth-token").startswith("bearer ")
    assert "No services found" in cf("services") or "No service" in cf("services")
    admin("isolation-segments")
    cf("logout")
    assert "Not logged in" in cf.fails("apps")
