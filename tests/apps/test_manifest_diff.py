"""Saying what a manifest would change."""

from __future__ import annotations

import pytest

from apps.actions import app as apps
from apps.actions import destination as destinations
from apps.models import App, Process, Sidecar


def post(client, space, text):
    return client.post(f"/v3/spaces/{space.guid}/manifest_diff", data=text, content_type="application/x-yaml")


def diff(client, space, keys, name="site"):
    answer = post(client, space, f"applications: [{{name: {name}, {keys}}}]")
    assert answer.status_code == 201, answer.content
    assert set(answer.json()) == {"diff"}
    return [(each["op"], each["path"], each.get("was"), each.get("value")) for each in answer.json()["diff"]]


@pytest.fixture
def full(alice, app, route):
    """An app with something of everything."""
    apps.set_environment(alice, app, variables={"KEY": "old", "KEPT": "same"})
    apps.update(alice, app, buildpacks=["one", "two"], metadata={"labels": {"a": "b"}})
    destinations.add(alice, route, ends=[destinations.End(app)])
    Sidecar.objects.create(app=app, name="agent", command="./agent", process_types=["web"])
    Process.objects.filter(app=app).update(command="run")
    return app


def test_a_new_app_is_all_addition(api, alice, space):
    assert diff(api(alice), space, "memory: 256m, env: {A: 1}, path: ./x, default-route: true", name="new") == [
        ("add", "/applications/0/name", None, "new"),
        ("add", "/applications/0/memory", None, "256M"),
        ("add", "/applications/0/env", None, {"A": "1"}),
    ]
    assert not App.objects.exists()


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        ("memory: 1G, disk-quota: 1024M, instances: 1, log-rate-limit-per-second: -1", []),
        ("memory: 256M", [("replace", "/memory", "1024M", "256M")]),
        ("disk-quota: 2G", [("replace", "/disk-quota", "1024M", "2048M")]),
        ("instances: '2'", [("replace", "/instances", 1, "2")]),
        ("log-rate-limit-per-second: 1024B", [("replace", "/log-rate-limit-per-second", -1, "1K")]),
        ("env: {KEPT: same}", []),
        (
            "env: {KEY: new, a/b: 1}",
            [("replace", "/env/KEY", "[PRIVATE DATA HIDDEN]", "new"), ("add", "/env/a~1b", None, "1")],
        ),
        ("command: null", [("remove", "/command", "run", None)]),
        ("buildpacks: [one]", [("remove", "/buildpacks/1", "two", None)]),
        ("buildpacks: [one, three]", [("replace", "/buildpacks/1", "two", "three")]),
        ("metadata: {labels: {a: null}}", [("remove", "/metadata/labels/a", "b", None)]),
        ("features: {ssh: false, revisions: false}", [("replace", "/features/revisions", True, False)]),
        ("routes: [{route: site.apps.example}]", []),
        (
            "routes: [{route: new.apps.example}, {route: site.apps.example, options: {loadbalancing: round-robin}}]",
            [
                ("add", "/routes/0", None, {"route": "new.apps.example"}),
                ("add", "/routes/1/options", None, {"loadbalancing": "round-robin"}),
            ],
        ),
        ("sidecars: [{name: agent, command: ./new, process_types: [web]}]", [("replace", "/sidecars/0/command", "./agent", "./new")]),
        (
            "processes: [{type: web, memory: 1G, instances: 3}, {type: worker, memory: 64m}]",
            [
                ("replace", "/processes/0/instances", 1, 3),
                ("add", "/processes/1", None, {"type": "worker", "memory": "64M"}),
            ],
        ),
    ],
)  # fmt: skip
def test_only_what_would_change_is_told(api, alice, space, full, keys, changes):
    expected = [(op, f"/applications/0{path}", was, value) for op, path, was, value in changes]
    assert diff(api(alice), space, keys) == expected


def test_each_app_has_its_number(api, alice, space, app):
    answer = post(api(alice), space, "applications: [{name: site, instances: 1}, {name: new}]").json()["diff"]
    assert answer == [{"op": "add", "path": "/applications/1/name", "value": "new"}]


def test_an_auditor_may_not(api, bob, space):
    assert post(api(bob), space, "applications: [{name: site}]").status_code == 403


def test_a_stranger_finds_no_space(api, charlie, space):
    assert post(api(charlie), space, "applications: [{name: site}]").status_code == 404


def test_what_is_wrong_is_said_already(api, alice, space):
    answer = post(api(alice), space, "applications: [{name: site, memory: 1}]")
    assert answer.json()["errors"][0]["detail"].startswith("For application 'site': Process \"web\": Memory must use")
