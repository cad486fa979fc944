"""The main job: source goes in, an answer comes out at its URL; and what a team reads when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform import apps
from tests.platform.client import Client, belongs, wait_until


def test_source_becomes_an_app_that_answers_at_its_url(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server("it works"))
    assert alice.fetch(name).text == "it works"
    droplet = alice.call("GET", f"/v3/apps/{app['guid']}/droplets/current")
    assert [used["name"] for used in droplet["buildpacks"]] == ["python_buildpack"]
    assert droplet["process_types"] == {"web": "python3 server.py"}
    assert "audit.app.build.create" in alice.events(app)


def test_a_folder_of_pages_becomes_a_site(alice: Client, space: Any, name: str) -> None:
    alice.push(space, name, apps.static("<h1>pages</h1>"))
    answer = alice.fetch(name)
    assert answer.text == "<h1>pages</h1>" and answer.headers["Content-Type"].startswith("text/html")


def test_a_changed_push_replaces_the_version_before(alice: Client, space: Any, name: str) -> None:
    app = alice.push(space, name, apps.server("one"))
    done = alice.deployed(alice.deploy(app, apps.server("two")))
    assert done["status"]["reason"] == "DEPLOYED"
    assert alice.fetch(name).text == "two"
    revisions = alice.call("GET", f"/v3/apps/{app['guid']}/revisions?order_by=-created_at")["resources"]
    back = alice.call("POST", "/v3/deployments", {"revision": {"guid": revisions[1]["guid"]}, **belongs("app", app)})
    assert alice.deployed(back)["status"]["reason"] == "DEPLOYED"
    assert alice.fetch(name).text == "one"


def test_an_unchanged_push_is_not_built_again_and_a_restage_is(alice: Client, space: Any, name: str) -> None:
    app = alice.create_app(space, name)
    first = alice.droplet(app, apps.server())
    again = alice.build(alice.upload(app, apps.server()))
    assert again["droplet"]["guid"] == first["guid"]
    assert any("used again" in text for source, text in alice.logs(app) if source == "STG")
    restaged = alice.build(again["package"])
    assert restaged["state"] == "STAGED" and restaged["droplet"]["guid"] != first["guid"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"README": "nothing to run"}, "NoAppDetectedError"),
        ({"requirements.txt": "a-package-that-nobody-made==1\n", "Procfile": "web: true\n"}, "BuildpackCompileFailed"),
        ({"Procfile": "{ not a mapping", "requirements.txt": ""}, "Procfile"),
    ],
)
def test_a_build_that_fails_says_why(alice: Client, space: Any, name: str, files: dict[str, str], said: str) -> None:
    app = alice.create_app(space, name)
    build = alice.build(alice.upload(app, files))
    assert build["state"] == "FAILED"
    assert said in build["error"]
    assert any(build["error"].split(" - ")[1].splitlines()[0][:60] in text for _, text in alice.logs(app))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (apps.procfile("exit 7"), "status 7"),
        (apps.procfile("sleep 600"), "$PORT"),
    ],
)
def test_a_version_that_never_gets_healthy_leaves_the_old_one_serving(
    alice: Client, space: Any, name: str, files: dict[str, str], said: str
) -> None:
    app = alice.push(space, name, apps.server("still here"))
    alice.call("PATCH", f"/v3/processes/{app['guid']}", {"health_check": {"type": "port", "data": {"timeout": 5}}})
    given_up = alice.deployed(alice.deploy(app, files))
    assert given_up["status"]["reason"] == "CANCELED"
    assert said in given_up["status"]["details"]["error"]
    assert any(each["state"] == "CRASHED" for each in alice.stats(app))  # so that a client sees that it failed
    assert alice.fetch(name).text == "still here"
    assert "audit.app.revert" in alice.events(app)
    wait_until(lambda: all(each["state"] == "RUNNING" for each in alice.stats(app)), "the old version in the stats")


def test_one_of_two_builds_at_once_is_told_about_the_other(alice: Client, space: Any, name: str) -> None:
    app = alice.create_app(space, name)
    package = alice.upload(app, {**apps.procfile("true"), "requirements.txt": "requests\n"})
    first = alice.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})
    second = alice.send("POST", "/v3/builds", json={"package": {"guid": package["guid"]}})
    assert second.status_code == 422 and second.json()["errors"][0]["title"] == "CF-StagingInProgress"
    assert alice.built(first["guid"])["state"] == "STAGED"


def test_a_build_can_be_cancelled(alice: Client, space: Any, name: str) -> None:
    app = alice.create_app(space, name)
    slow = {"requirements.txt": "numpy\npandas\nscipy\n", "Procfile": "web: true\n"}
    build = alice.call("POST", "/v3/builds", {"package": {"guid": alice.upload(app, slow)["guid"]}})
    wait_until(lambda: any(source == "STG" for source, _ in alice.logs(app)), "the build's first line")
    alice.call("POST", f"/v3/builds/{build['guid']}/actions/cancel")
    ended = alice.built(build["guid"])
    assert ended["state"] == "FAILED" and "cancel" in ended["error"]


def test_a_droplet_that_was_downloaded_runs_elsewhere(alice: Client, space: Any, name: str) -> None:
    app = alice.create_app(space, name)
    droplet = alice.droplet(app, apps.server("from a droplet"))
    content = alice.send("GET", f"/v3/droplets/{droplet['guid']}/download").content
    other = alice.create_app(space, f"{name}-2")
    alice.route(other, space, f"{name}-2")
    made = alice.call("POST", "/v3/droplets", belongs("app", other))
    answer = alice.send("POST", f"/v3/droplets/{made['guid']}/upload", files={"bits": ("droplet.tgz", content)})
    assert answer.status_code == 202
    alice.job(answer.headers["Location"])
    alice.use(other, made)
    alice.call("POST", f"/v3/apps/{other['guid']}/actions/start")
    alice.running(other)
    assert alice.fetch(f"{name}-2").text == "from a droplet"
