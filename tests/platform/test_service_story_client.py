"""A database's whole life with the unmodified `cloudfoundry-client`, as a team's script lives it."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from cloudfoundry_client.client import CloudFoundryClient

from tests.platform.client import PASSWORD, Client, belongs, ends, wait_until
from tests.platform.faults import load
from tests.platform.story_app import notes

pytestmark = pytest.mark.timeout(600)


class Script:
    """A script's own few lines around the library: most calls answer with a job, and that is waited for."""

    def __init__(self, port: int, username: str) -> None:
        self.library = CloudFoundryClient(f"http://localhost:{port}", verify=False)
        self.library.init_with_user_credentials(username, PASSWORD)
        self.v3 = self.library.v3

    def ended(self, location: str) -> None:
        guid = location.rpartition("/")[2]
        job = self.v3.jobs.wait_for_job_completion(guid, step_function=lambda step: step)
        assert job["state"] == "COMPLETE", job

    def posted(self, path: str, body: Any = None) -> Any:
        """Ask for what the library has no name for."""
        answer = self.library.post(f"{self.v3.jobs.target_endpoint}{path}", json=body or {})
        if location := answer.headers.get("Location"):
            self.ended(location)
        return answer.json() if answer.content else None

    def database(self, space: Any, name: str, **parameters: Any) -> Any:
        offered = {"names": "tiny-15", "service_offering_names": "postgres"}
        plan = wait_until(lambda: self.v3.service_plans.get_first(**offered), "the plan to be offered")
        made = self.v3.service_instances.create(name, space["guid"], plan["guid"], parameters=parameters or None)
        self.ended(made["links"]["job"]["href"])
        found = self.v3.service_instances.get_first(names=name, space_guids=space["guid"])
        assert found["last_operation"]["state"] == "succeeded"
        return found

    def bound(self, instance: Any, app: Any) -> None:
        create = self.v3.service_credential_bindings.create
        self.ended(create(None, "app", instance["guid"], app["guid"], None, None, None))

    def bindings(self, instance: Any) -> list[Any]:
        return list(self.v3.service_credential_bindings.list(service_instance_guids=instance["guid"]))

    def deleted(self, instance: Any) -> None:
        self.v3.service_instances.remove(instance["guid"], asynchronous=False)
        assert not list(self.v3.service_instances.list(guids=instance["guid"]))


def test_a_table_that_was_dropped_comes_back_by_a_script(
    root: Client, alice: Client, space: Any, name: str
) -> None:  # fmt: skip
    script = Script(alice.port, alice.username)
    app = alice.create_app(space, name)
    alice.route(app, space, name)
    alice.use(app, droplet := alice.droplet(app, notes()))
    records = script.database(space, "records")
    script.bound(records, app)
    script.v3.apps.get(app["guid"]).start()
    alice.running(app)

    def asked(path: str, text: str | None = None) -> tuple[int, str]:
        answer = alice.fetch(name, path, method="GET" if text is None else "POST", data=text)
        return answer.status_code, answer.text

    assert asked("/notes", "before the backup") == (200, "1")
    script.posted(f"/v3/service_instances/{records['guid']}/backups")
    assert asked("/notes", "after the backup") == (200, "2")
    _, moment = asked("/now")
    assert asked("/drop", "")[0] == 200 and asked("/notes")[0] == 503

    wanted = {"restore_from_point_in_time_of": records["guid"], "restore_from_point_in_time_before": moment}
    restored = script.database(space, "restored", **wanted)

    def swapped(source: Any, target: Any, *, keep: bool) -> None:
        body = {"relationships": {**ends("from", source), **ends("to", target)}, "keep": keep}
        deployment = script.posted(f"/v3/apps/{app['guid']}/actions/swap_service", body)
        assert alice.deployed(deployment)["status"]["reason"] == "DEPLOYED"
        assert asked("/host")[1].startswith(target["guid"])

    with load(alice, name) as seen:
        swapped(records, restored, keep=True)
        assert asked("/notes") == (200, "before the backup\nafter the backup")
        swapped(restored, records, keep=True)
        assert asked("/notes")[0] == 503
        swapped(records, restored, keep=False)
    assert set(seen[name]) == {"notes"}, seen
    assert asked("/notes", "in the restored")[0] == 200
    wait_until(lambda: script.bindings(records) == [], "the old binding to be gone")

    (binding,) = script.bindings(restored)
    uri = script.v3.service_credential_bindings.get(binding["guid"], "details")["credentials"]["uri"]
    nobody_else_reaches_it(root, alice, droplet, uri)
    script.deleted(records)
    assert asked("/notes")[1].endswith("in the restored")
    script.v3.apps.remove(app["guid"], asynchronous=False)
    script.deleted(restored)


def nobody_else_reaches_it(root: Client, owner: Client, droplet: Any, uri: str) -> None:
    """Let another tenant's app try, with the very credentials."""
    place = root.space(f"org-{secrets.token_hex(3)}", "elsewhere")
    thief, name = root.person("charlie", place), f"app-{secrets.token_hex(3)}"
    app = thief.create_app(place, name, environment_variables={"DATABASE_URL": f"{uri}&connect_timeout=3"})
    thief.route(app, place, name)
    made = thief.call("POST", "/v3/droplets", belongs("app", app))
    bits = owner.send("GET", f"/v3/droplets/{droplet['guid']}/download").content
    answer = thief.send("POST", f"/v3/droplets/{made['guid']}/upload", files={"bits": ("droplet.tgz", bits)})
    thief.job(answer.headers["Location"])
    thief.use(app, made)
    thief.call("POST", f"/v3/apps/{app['guid']}/actions/start")
    thief.running(app)
    answer = thief.fetch(name, "/notes")
    assert answer.status_code == 503 and ("refused" in answer.text or "timeout" in answer.text), answer.text
    root.call("DELETE", f"/v3/organizations/{place['relationships']['organization']['data']['guid']}")
