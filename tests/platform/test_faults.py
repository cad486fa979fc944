"""What breaks, breaks alone: workers, stores, router and agent die, and no wish, no request and no line is lost."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.host.house import House
from tests.platform.client import Client, belongs, wait_until
from tests.platform.faults import ADOPTED, Works, add_holding_buildpack, docker, holding, load, quickly, slow_server

pytestmark = pytest.mark.timeout(900)

BIG = os.urandom(100 << 20)  # takes a moment to fetch and to store


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A platform of these tests' own: they break it."""
    made = House.new("faults")
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def root(house: House) -> Client:
    return Client(house.port)


@pytest.fixture(scope="module")
def works(house: House) -> Works:
    return Works(house)


@pytest.fixture(autouse=True)
def nothing_left_over(works: Works) -> Iterator[None]:
    yield
    works.clean()


# Workers killed at each step of a build ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def buildpack(root: Client) -> Iterator[None]:
    made = add_holding_buildpack(root)
    yield
    root.call("DELETE", f"/v3/buildpacks/{made['guid']}")


def begin(client: Client, space: Any, files: Any) -> Any:
    """Ask for the build of a new app; its package is there."""
    app = client.create_app(space, f"app-{secrets.token_hex(3)}")
    package = client.upload(app, files)
    return client.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})


def kill_builder(works: Works, client: Client, *builds: Any) -> None:
    works.kill_worker("builds")
    assert {client.call("GET", f"/v3/builds/{build['guid']}")["state"] for build in builds} == {"STAGING"}


def became_one_droplet(client: Client, build: Any) -> None:
    """Wait until the build is done, no longer than promised; it made one droplet, and the app has no other."""
    ended = wait_until(
        lambda: (found := client.call("GET", f"/v3/builds/{build['guid']}"))["state"] != "STAGING" and found,
        f"build {build['guid']} to be adopted",
        seconds=ADOPTED,
    )
    assert ended["state"] == "STAGED", ended["error"]
    app = build["relationships"]["app"]["data"]["guid"]
    (droplet,) = client.call("GET", f"/v3/apps/{app}/droplets")["resources"]
    assert droplet["guid"] == ended["droplet"]["guid"] and droplet["state"] == "STAGED"
    assert client.events({"guid": app}).count("audit.app.build.staged") == 1


def test_builds_are_adopted_that_waited_detected_and_supplied(
    works: Works, buildpack: None, alice: Client, space: Any
) -> None:
    builds = [begin(alice, space, holding(step, 25)) for step in ("detect", "supply")]
    for build, step in zip(builds, ("detect", "supply"), strict=True):
        wait_until(lambda build=build, step=step: f"bin/{step}" in works.building(build), f"the step {step}")
    queued = begin(alice, space, holding("none", 0))  # two builds are what a worker does at a time
    kill_builder(works, alice, *builds, queued)
    for build in (*builds, queued):
        became_one_droplet(alice, build)


def test_builds_are_adopted_that_fetched_and_finalized(
    works: Works, buildpack: None, alice: Client, space: Any
) -> None:
    held = begin(alice, space, holding("finalize", 40))
    wait_until(lambda: "bin/finalize" in works.building(held), "the step finalize")
    fetching = begin(alice, space, holding("none", 0, big=BIG))
    folder = works.state / "builds" / fetching["guid"]
    quickly(lambda: list(folder.glob("*/disk/in/source.zip")), "the source to be fetched")
    assert not works.building(fetching)
    kill_builder(works, alice, held, fetching)
    for build in (held, fetching):
        became_one_droplet(alice, build)


def test_a_build_is_adopted_that_stored_its_droplet(works: Works, buildpack: None, alice: Client, space: Any) -> None:
    build = begin(alice, space, holding("none", 0, big=BIG))
    wait_until(lambda: works.building(build), "the build")
    quickly(works.storing, "the droplet to be stored", seconds=120)
    kill_builder(works, alice, build)
    became_one_droplet(alice, build)


# Workers killed at each step of a deployment -------------------------------------------------------------------------


def replace(client: Client, app: Any, **variables: str) -> Any:
    """Begin a rolling replacement; nothing is built for it, only the environment changes."""
    client.call("PATCH", f"/v3/apps/{app['guid']}/environment_variables", {"var": variables})
    return client.call("POST", "/v3/deployments", belongs("app", app))


def replaced(works: Works, client: Client, app: Any, deployment: Any, *, instances: int = 1) -> None:
    """Wait until the replacement is done, no longer than promised, and nothing of the old version is left."""
    path = f"/v3/deployments/{deployment['guid']}"
    ended = wait_until(
        lambda: (found := client.call("GET", path))["status"]["value"] == "FINALIZED" and found,
        f"deployment {deployment['guid']} to be adopted",
        seconds=ADOPTED,
    )
    assert ended["status"]["reason"] == "DEPLOYED"
    listed = {each["instance_guid"] for each in client.running(app)}
    assert len(listed) == instances
    wait_until(lambda: works.instances(app) == listed, "the old instances to be gone")
    assert {client.fetch(app["name"]).text for _ in range(10)} == {"new"}


@pytest.fixture
def push(alice: Client, space: Any) -> Callable[[], Any]:
    """Push an app that greets with "old"; only the first one is built."""
    droplets: list[bytes] = []

    def push() -> Any:
        name = f"app-{secrets.token_hex(3)}"
        app = alice.create_app(space, name, environment_variables={"GREETING": "old"})
        alice.route(app, space, name)
        if droplets:
            made = alice.call("POST", "/v3/droplets", belongs("app", app))
            bits = {"bits": ("droplet.tgz", droplets[0])}
            alice.job(alice.send("POST", f"/v3/droplets/{made['guid']}/upload", files=bits).headers["Location"])
        else:
            made = alice.droplet(app, slow_server())
            droplets.append(alice.send("GET", f"/v3/droplets/{made['guid']}/download").content)
        alice.use(app, made)
        alice.call("POST", f"/v3/apps/{app['guid']}/actions/start")
        alice.running(app)
        return app

    return push


def test_deployments_are_adopted_that_made_waited_and_drained(
    works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    waiting, draining, making = apps = [push() for _ in range(3)]
    replaced(works, alice, draining, replace(alice, draining, GREETING="new", LINGER="yes"))
    alice.call("POST", f"/v3/processes/{making['guid']}/actions/scale", {"instances": 3})
    alice.running(making)
    before = works.instances(making)

    with load(alice, *(app["name"] for app in apps)) as seen:
        begun = [replace(alice, waiting, GREETING="new", START_AT=str(time.time() + 15))]
        wait_until(lambda: len(works.instances(waiting)) == 2, "the new instance that is not yet healthy")
        begun.append(replace(alice, draining, GREETING="new"))
        asked = ("APP/PROC/WEB", "got the signal")
        wait_until(lambda: asked in alice.logs(draining), "the old instance to be asked to leave, which it does not")
        begun.append(replace(alice, making, GREETING="new"))
        quickly(lambda: works.instances(making) - before, "the first of three new instances")
        works.kill_worker("converge")
        for app, deployment in zip(apps, begun, strict=True):
            replaced(works, alice, app, deployment, instances=3 if app is making else 1)
    assert set().union(*seen.values()) == {"old", "new"}, seen


def test_a_deployment_is_adopted_that_was_just_published(works: Works, alice: Client, push: Callable[[], Any]) -> None:
    app = push()
    with load(alice, app["name"]) as seen:
        deployment = replace(alice, app, GREETING="new")
        quickly(lambda: seen[app["name"]]["new"], "the first answer of the new version")
        works.kill_worker("converge")
        assert len(works.instances(app)) == 2
        replaced(works, alice, app, deployment)
    assert set(seen[app["name"]]) == {"old", "new"}, seen


def test_a_removal_is_adopted(works: Works, alice: Client, push: Callable[[], Any]) -> None:
    app = push()
    alice.call("DELETE", f"/v3/apps/{app['guid']}")
    works.kill_worker("converge")
    wait_until(lambda: not works.instances(app), "the app to be gone from the engine", seconds=ADOPTED)
    assert alice.fetch(app["name"]).status_code == 503  # the route stays
