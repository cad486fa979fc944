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

BIG = os.urandom(160 << 20)  # takes a moment to fetch and to store


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
def buildpack(root: Client) -> None:
    add_holding_buildpack(root)


def begin(client: Client, space: Any, files: Any) -> Any:
    """Ask for the build of a new app; its package is there."""
    app = client.create_app(space, f"app-{secrets.token_hex(3)}")
    package = client.upload(app, files)
    return client.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})


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
    works.kill_worker("builds")
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
    works.kill_worker("builds")
    for build in (held, fetching):
        became_one_droplet(alice, build)


def test_a_build_is_adopted_that_stored_its_droplet(works: Works, buildpack: None, alice: Client, space: Any) -> None:
    build = begin(alice, space, holding("none", 0, big=BIG))
    wait_until(lambda: works.building(build), "the build")
    quickly(works.storing, "the droplet to be stored", seconds=120)
    works.kill_worker("builds")
    became_one_droplet(alice, build)
