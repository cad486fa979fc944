"""The record holds no secret, whatever is changed, and every reading of one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import AuditEvent
from tenants import access
from tenants.actions import custom_role

SECRET = "swordfish-3141"
COMMAND = f"python app.py --key {SECRET}"
MANIFEST = f"""
applications:
- name: site
  env: {{KEY: {SECRET}-2}}
  processes: [{{type: web, command: "{COMMAND} 2"}}]
  sidecars: [{{name: second, process_types: [web], command: "{COMMAND}"}}]
"""


@pytest.fixture
def changed(api: Any, alice: Any, root: Any, app: Any, droplet: Any, space: Any) -> Any:
    """Everything that can hold a secret has been given one, changed, and taken away again."""
    there, web, sent = f"/v3/apps/{app.guid}", f"/v3/processes/{app.guid}", []

    def call(user: Any, method: str, path: str, body: Any = None) -> Any:
        answer = getattr(api(user), method)(path, body)
        assert answer.status_code < 300, (path, answer.content)
        sent.append(path)
        return answer

    for value in (SECRET, f"{SECRET}-2", None):
        call(alice, "patch", f"{there}/environment_variables", {"var": {"KEY": value}})
        call(alice, "patch", web, {"command": f"{COMMAND} {value}" if value else None})
        call(root, "patch", "/v3/environment_variable_groups/running", {"var": {"KEY": value}})
    body = {"name": "first", "command": COMMAND, "process_types": ["web"]}
    made = call(alice, "post", f"{there}/sidecars", body).json()
    call(alice, "patch", f"/v3/sidecars/{made['guid']}", {"command": f"{COMMAND} 2"})
    call(alice, "delete", f"/v3/sidecars/{made['guid']}")
    packs = [f"https://me:{SECRET}@git.example/pack.git"]
    call(alice, "patch", there, {"lifecycle": {"type": "buildpack", "data": {"buildpacks": packs}}})
    call(alice, "post", f"{there}/tasks", {"command": COMMAND})
    answer = api(alice).generic(
        "POST", f"/v3/spaces/{space.guid}/actions/apply_manifest", MANIFEST, content_type="application/x-yaml"
    )
    assert answer.status_code == 202
    service = {
        "type": "user-provided",
        "name": "ours",
        "credentials": {"password": SECRET},
        "relationships": {"space": {"data": {"guid": space.guid}}},
    }
    made = call(alice, "post", "/v3/service_instances", service).json()
    call(alice, "patch", f"/v3/service_instances/{made['guid']}", {"credentials": {"password": f"{SECRET}-2"}})
    call(alice, "delete", there)
    return sent


def test_no_event_holds_a_secret(changed: Any) -> None:
    said = json.dumps(list(AuditEvent.objects.values("data", "target_name", "actor_name", "via")))
    assert SECRET not in said
    assert "environment.KEY" in said
    assert "variables.KEY" in said


def test_no_event_holds_a_password_or_a_token(bearing: Any, sign_in: Any, root: Any) -> None:
    client = bearing(sign_in(root)["access_token"])
    person = client.post("/uaa/Users", {"userName": "new@example.org", "password": f"{SECRET} {SECRET}"}).json()
    answer = client.put(f"/uaa/Users/{person['id']}/password", {"password": f"{SECRET} {SECRET} 2"})
    assert answer.status_code == 200, answer.content
    token = client.post("/v3/access_tokens", {"name": "ci"}).json()["token"]
    said = json.dumps(list(AuditEvent.objects.values("data", "target_name", "via")))
    assert SECRET not in said
    assert token not in said
    assert AuditEvent.objects.filter(type="audit.access_token.create", actor_guid=root.guid).count() == 1


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("apps/{}/env", "audit.app.environment.show"),
        ("apps/{}/environment_variables", "audit.app.environment_variables.show"),
        ("apps/{}/manifest", "audit.app.manifest.show"),
        ("processes/{}", "audit.app.commands.show"),
        ("apps/{}/processes/web", "audit.app.commands.show"),
        ("apps/{}/droplets/current", "audit.app.commands.show"),
    ],
)
def test_every_reading_of_a_secret_is_recorded(
    api: Any, alice: Any, bob: Any, app: Any, droplet: Any, path: str, type: str
) -> None:
    api(alice).patch(f"/v3/processes/{app.guid}", {"command": COMMAND})
    readings = AuditEvent.objects.filter(type=type)
    assert readings.count() == 0
    api(bob).get(f"/v3/{path.format(app.guid)}")
    assert readings.count() == 0  # he was shown none
    assert api(alice).get(f"/v3/{path.format(app.guid)}").status_code == 200
    assert [(event.actor_guid, event.target_guid) for event in readings] == [(alice.guid, app.guid)]


def test_lists_that_show_commands_are_a_reading_where_there_are_any(
    api: Any, alice: Any, app: Any, droplet: Any
) -> None:
    readings = AuditEvent.objects.filter(type="audit.app.commands.show")
    for noun in ("tasks", "sidecars"):
        api(alice).get(f"/v3/apps/{app.guid}/{noun}")
    assert readings.count() == 0
    api(alice).post(f"/v3/apps/{app.guid}/tasks", {"command": COMMAND})
    assert SECRET in api(alice).get(f"/v3/apps/{app.guid}/tasks").content.decode()
    assert [event.data for event in readings] == [{"of": "tasks"}]


def test_lists_across_apps_show_no_command(api: Any, alice: Any, app: Any) -> None:
    api(alice).patch(f"/v3/processes/{app.guid}", {"command": COMMAND})
    assert SECRET not in api(alice).get("/v3/processes").content.decode()
    assert not AuditEvent.objects.filter(type="audit.app.commands.show").exists()


def test_the_page_that_shows_a_command_is_a_reading(browser: Any, api: Any, alice: Any, bob: Any, app: Any) -> None:
    api(alice).patch(f"/v3/processes/{app.guid}", {"command": COMMAND})
    readings = AuditEvent.objects.filter(type="audit.app.commands.show")
    assert SECRET not in browser(bob).get(f"/apps/{app.guid}/settings").content.decode()
    assert readings.count() == 0
    assert SECRET in browser(alice).get(f"/apps/{app.guid}/settings").content.decode()
    assert readings.count() == 1


def test_a_manifest_tells_no_command_to_who_sees_no_secrets(
    api: Any, alice: Any, charlie: Any, app: Any, space: Any, root: Any
) -> None:
    api(alice).patch(f"/v3/processes/{app.guid}", {"command": COMMAND})
    role = custom_role.create(root, space.organization, name="Pusher", where="space", verbs=["app.push", "app.view"])
    access.give(charlie, "organization_user", space.organization, by=root)
    access.give(charlie, role.guid, space, by=root)
    manifest = 'applications:\n- name: site\n  processes: [{type: web, command: "other"}]\n'
    url = f"/v3/spaces/{space.guid}/manifest_diff"

    def was(user: Any) -> Any:
        answer = api(user).generic("POST", url, manifest, content_type="application/x-yaml")
        assert answer.status_code == 201, answer.content
        return answer.json()["diff"][0]["was"]

    assert was(charlie) == "[PRIVATE DATA HIDDEN]"
    assert was(alice) == COMMAND
    reading = AuditEvent.objects.get(type="audit.app.commands.show")
    assert (reading.actor_guid, reading.data) == (alice.guid, {"of": "manifest"})


def test_a_passcode_is_a_reading_and_is_not_kept(browser: Any, alice: Any) -> None:
    page = browser(alice).get("/uaa/passcode").content.decode()
    event = AuditEvent.objects.get(type="audit.user.passcode")
    assert (event.actor_guid, event.door, event.data) == (alice.guid, "console", {})
    assert "passcode" in page.lower()
