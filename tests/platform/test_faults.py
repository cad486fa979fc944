"""What breaks, breaks alone: workers, stores, router and agent die, and no wish, no request and no line is lost."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest
import requests

from tests.host.house import House
from tests.platform.client import Client, belongs, wait_until
from tests.platform.faults import (
    ADOPTED,
    Works,
    add_holding_buildpack,
    answer_of,
    docker,
    load,
    quickly,
    restart_engine,
)
from tests.platform.servers import holding, slow_server

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
        wait_until(lambda: alice.fetch(name).text == "old", "the app to answer")
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


def test_a_deployment_that_was_just_published_and_a_removal_are_adopted(
    works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    app, removed = push(), push()
    with load(alice, app["name"]) as seen:
        deployment = replace(alice, app, GREETING="new")
        quickly(lambda: seen[app["name"]]["new"], "the first answer of the new version")
        alice.call("DELETE", f"/v3/apps/{removed['guid']}")
        works.kill_worker("converge")
        assert len(works.instances(app)) == 2 and works.instances(removed)
        replaced(works, alice, app, deployment)
        wait_until(lambda: not works.instances(removed), "the removed app to be gone from the engine", seconds=ADOPTED)
    assert set(seen[app["name"]]) == {"old", "new"}, seen
    assert alice.fetch(removed["name"]).status_code == 404  # the route stays, and leads nowhere


# Stores ---------------------------------------------------------------------------------------------------------------


def test_with_redis_emptied_nothing_is_lost(works: Works, alice: Client, space: Any, push: Callable[[], Any]) -> None:
    app = push()
    with works.paused("builds", "converge"):
        build = begin(alice, space, slow_server())
        alice.call("POST", f"/v3/processes/{app['guid']}/actions/scale", {"instances": 3})
        time.sleep(2)  # until the hints are where they get lost
        works.empty_redis()
    became_one_droplet(alice, build)
    assert len(alice.running(app)) == 3
    wait_until(lambda: len(works.instances(app)) == 3, "three instances")


def test_with_redis_away_what_is_asked_for_is_done_later(
    works: Works, alice: Client, space: Any, push: Callable[[], Any]
) -> None:
    app, person = push(), browser(alice)
    package = alice.upload(alice.create_app(space, f"app-{secrets.token_hex(3)}"), slow_server())
    docker("stop", works.container("redis"))
    try:
        build = alice.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})
        alice.call("POST", f"/v3/processes/{app['guid']}/actions/scale", {"instances": 2})
        assert person.get(alice.url).status_code == 200  # who is signed in goes on
    finally:
        docker("start", works.container("redis"))
    became_one_droplet(alice, build)
    assert len(alice.running(app)) == 2


def browser(client: Client) -> requests.Session:
    """A browser in which the person is signed in."""
    session = requests.Session()
    session.headers.update({"Host": f"localhost:{client.port}", "Accept": "text/html"})
    page = session.get(f"{client.url}/accounts/login/")
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text
    form = {"login": client.username, "password": client.password, "csrfmiddlewaretoken": found[1]}
    answer = session.post(f"{client.url}/accounts/login/", data=form, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return session


def test_with_the_database_stopped_apps_answer_and_the_platform_says_so(
    works: Works, alice: Client, space: Any, push: Callable[[], Any]
) -> None:
    app, other = push(), push()
    person = browser(alice)
    assert person.get(alice.url).status_code == 200
    package = alice.upload(alice.create_app(space, f"app-{secrets.token_hex(3)}"), slow_server())
    with load(alice, app["name"]) as seen:
        build = alice.call("POST", "/v3/builds", {"package": {"guid": package["guid"]}})
        deployment = replace(alice, other, GREETING="new", START_AT=str(time.time() + 10))
        docker("stop", works.container("postgres"))
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                says_that_it_is_away(alice, person)
                time.sleep(1)
        finally:
            docker("start", works.container("postgres"))
        wait_until(lambda: alice.send("GET", "/v3/apps").status_code == 200, "the API to answer again", seconds=60)
        assert wait_until(lambda: person.get(alice.url).status_code == 200, "the console to answer again")
        became_one_droplet(alice, build)
        replaced(works, alice, other, deployment)
    assert set(seen[app["name"]]) == {"old"}, seen


def says_that_it_is_away(client: Client, person: requests.Session) -> None:
    form = {"grant_type": "password", "username": client.username, "password": client.password}
    token = client.http.post(f"{client.url}/uaa/oauth/token", data=form, auth=("cf", ""))
    assert token.status_code == 503 and int(token.headers["Retry-After"]) > 0, token.text
    for answer in (client.send("GET", "/v3/apps"), client.send("POST", "/v3/apps", json={"name": "new"})):
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        (error,) = answer.json()["errors"]
        assert (error["code"], error["title"]) == (10015, "CF-ServiceUnavailable") and "database" in error["detail"]
    for path in ("/", "/accounts/login/"):
        page = person.get(f"{client.url}{path}")
        assert page.status_code == 503 and int(page.headers["Retry-After"]) > 0, page.text
        assert "<h1" in page.text and "govuk" in page.text and "try again" in page.text.lower()


# The control plane, the router, the agent -------------------------------------------------------------------------------


@contextmanager
def control_plane_stopped(house: House, works: Works) -> Iterator[None]:
    """Stop it as Ctrl-C does; start it again at the end, and return when the API answers."""
    house.interrupt()
    assert works.worker("converge") is None
    try:
        yield
    finally:
        house.start()


def crash(client: Client, app: Any, status: int) -> None:
    """Make the app end, and wait until it is back."""
    with suppress(requests.RequestException):
        client.fetch(app["name"], f"/exit/{status}")
    wait_until(lambda: client.fetch(app["name"]).status_code == 200, "the app to come back", seconds=60)


def test_with_the_control_plane_stopped_a_crash_is_mended_and_told_later(
    house: House, works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    steady, crashing = push(), push()
    (instance,) = alice.running(crashing)
    with load(alice, steady["name"]) as seen:
        with control_plane_stopped(house, works):
            for status in (3, 4):
                alice.fetch(crashing["name"], f"/say/before-{status}")
                crash(alice, crashing, status)
            alice.fetch(crashing["name"], "/say/afterwards")
            answer = alice.send("GET", "/v3/apps")
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
            assert answer.json()["errors"][0]["title"] == "CF-ServiceUnavailable"
        told = wait_until(
            lambda: len(found := crashes(alice, crashing)) == 2 and found, "both crashes among the events", seconds=30
        )
    assert {each["data"]["exit_status"]: each["data"]["last_lines"][-2:] for each in told} == {
        3: ["before-3", "going down"],
        4: ["before-4", "going down"],
    }
    assert [each["instance_guid"] for each in alice.running(crashing)] == [instance["instance_guid"]]
    lines = [text for source, text in alice.logs(crashing) if source == "APP/PROC/WEB"]
    said = ["before-3", "going down", "Exit status 3", "listening"]
    said += ["before-4", "going down", "Exit status 4", "listening", "afterwards"]
    assert [text for text in lines if text in said][-len(said) :] == said
    assert set(seen[steady["name"]]) == {"old"}, seen


def crashes(client: Client, app: Any) -> list[Any]:
    found: list[Any] = client.call("GET", f"/v3/audit_events?target_guids={app['guid']}&types=app.crash")["resources"]
    return found


def test_with_the_control_plane_stopped_router_and_agent_come_back_and_routes_stay(
    house: House, works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    apps = [push() for _ in range(3)]
    for app in apps:
        alice.deployed(replace(alice, app, GREETING=app["name"]))
    with control_plane_stopped(house, works):
        works.kill_container("router")
        leads_to_its_own(alice, apps)
        works.kill_container("cell")
        # As after a boot: all at once, and the engine takes them in any order.
        docker("restart", "--time", "1", *(works.container(f"i-{guid}") for guid in works.instances()))
        leads_to_its_own(alice, apps)
        wait_until(lambda: (works.state / "cell" / "cell.sock").exists(), "the agent")
    leads_to_its_own(alice, apps)
    for app in apps:
        assert [each["state"] for each in alice.running(app)] == ["RUNNING"]


def leads_to_its_own(client: Client, apps: list[Any]) -> None:
    """Wait until every app answers at its route; none ever answers at another's."""

    def asked(app: Any) -> str:
        with requests.Session() as session:
            return answer_of(session, client, app["name"])

    end = time.monotonic() + 60
    while (answers := {app["name"]: asked(app) for app in apps}) != {app["name"]: app["name"] for app in apps}:
        strangers = {name: said for name, said in answers.items() if said.startswith("app-") and said != name}
        assert not strangers and time.monotonic() < end, answers
        time.sleep(0.1)


def test_with_the_agent_killed_no_line_and_no_request_is_lost(
    works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    app = push()
    with load(alice, app["name"]) as seen:
        for number in range(150):
            alice.fetch(app["name"], f"/say/{number}")
            if number in (30, 90):
                works.kill_container("cell")
    assert set(seen[app["name"]]) == {"old"}, seen

    def lines() -> list[str]:
        return [text for source, text in alice.logs(app) if source == "APP/PROC/WEB" and text.isdigit()]

    wait_until(lambda: "149" in lines(), "the last line", seconds=30)
    assert lines() == [str(number) for number in range(150)]
    assert crashes(alice, app) == []


# Twice, and at once ------------------------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def test_of_two_pushes_at_once_one_is_built_and_the_other_is_told(
    works: Works, root: Client, alice: Client, space: Any, push: Callable[[], Any]
) -> None:
    app = push()
    before = len(alice.call("GET", f"/v3/apps/{app['guid']}/droplets")["resources"])
    packages = [alice.upload(app, {**slow_server(), "version": number}) for number in "12"]
    answers = at_once(
        *(
            partial(
                Client(alice.port, alice.username).send, "POST", "/v3/builds", json={"package": {"guid": each["guid"]}}
            )
            for each in packages
        )
    )
    assert sorted(each.status_code for each in answers) == [201, 422]
    won, lost = sorted(answers, key=lambda each: int(each.status_code))
    assert lost.json()["errors"][0]["title"] == "CF-StagingInProgress"
    assert alice.built(won.json()["guid"])["state"] == "STAGED"
    assert len(alice.call("GET", f"/v3/apps/{app['guid']}/droplets")["resources"]) == before + 1


def test_of_two_deployments_at_once_the_later_one_stays(works: Works, alice: Client, push: Callable[[], Any]) -> None:
    app = push()
    clients = [Client(alice.port, alice.username) for _ in range(2)]
    made = at_once(*(partial(each.call, "POST", "/v3/deployments", belongs("app", app)) for each in clients))
    ended = [alice.deployed(each)["status"]["reason"] for each in made]
    assert sorted(ended) == ["DEPLOYED", "SUPERSEDED"]
    (instance,) = alice.running(app)
    wait_until(lambda: works.instances(app) == {instance["instance_guid"]}, "one instance alone")


def test_the_same_call_twice_and_at_once_changes_nothing_more(
    works: Works, alice: Client, space: Any, push: Callable[[], Any]
) -> None:
    app = push()
    clients = [Client(alice.port, alice.username) for _ in range(2)]
    path = f"/v3/apps/{app['guid']}"

    def both(method: str, path: str, **more: Any) -> list[int]:
        return sorted(each.status_code for each in at_once(*(partial(c.send, method, path, **more) for c in clients)))

    for verb in ("stop", "start"):
        for _ in range(2):
            assert both("POST", f"{path}/actions/{verb}") == [200, 200]
        assert alice.events(app).count(f"audit.app.{verb}") == 1 + (verb == "start")
    (instance,) = alice.running(app)
    wait_until(lambda: works.instances(app) == {instance["instance_guid"]}, "one instance alone")

    (route,) = alice.call("GET", f"{path}/routes")["resources"]
    to_app = {"destinations": [{"app": {"guid": app["guid"]}}]}
    for _ in range(2):
        assert both("POST", f"/v3/routes/{route['guid']}/destinations", json=to_app) == [200, 200]
    (destination,) = alice.call("GET", f"/v3/routes/{route['guid']}/destinations")["destinations"]
    assert both("DELETE", f"/v3/routes/{route['guid']}/destinations/{destination['guid']}") in ([204, 204], [204, 422])
    assert alice.call("GET", f"/v3/routes/{route['guid']}/destinations")["destinations"] == []

    assert both("DELETE", f"/v3/routes/{route['guid']}") in ([202, 202], [202, 404])
    assert both("DELETE", path) in ([202, 202], [202, 404])
    assert both("DELETE", path) == [404, 404]
    wait_until(lambda: not works.instances(app), "nothing of the app on the engine")


def test_of_two_apps_of_one_name_at_once_one_is_made(alice: Client, space: Any) -> None:
    clients = [Client(alice.port, alice.username) for _ in range(2)]
    wanted = {"name": f"app-{secrets.token_hex(3)}", **belongs("space", space)}
    answers = at_once(*(partial(each.send, "POST", "/v3/apps", json=wanted) for each in clients))
    assert sorted(each.status_code for each in answers) == [201, 422]


# The engine: last, since it is the machine's -------------------------------------------------------------------------------


@pytest.mark.engine_restart
def test_with_the_engine_restarted_every_route_leads_to_its_own_app(
    house: House, works: Works, alice: Client, push: Callable[[], Any]
) -> None:
    apps = [push() for _ in range(3)]
    for app in apps:
        alice.deployed(replace(alice, app, GREETING=app["name"]))
    with load(alice, *(app["name"] for app in apps)) as seen:
        with control_plane_stopped(house, works):
            restart_engine()
            for app in apps:
                alice.fetch(app["name"], f"/say/after-{app['name']}")
            crash(alice, apps[0], 3)  # the restart policy is in force again, and the agent listens
            leads_to_its_own(alice, apps)
        deployment = replace(alice, apps[1], GREETING="new")
        replaced(works, alice, apps[1], deployment)
    assert set(seen[apps[1]["name"]]) == {apps[1]["name"], "new"}, seen
    assert set(seen[apps[2]["name"]]) == {apps[2]["name"]}, seen
    assert not set(seen[apps[0]["name"]]) & {app["name"] for app in apps[1:]}, seen
    wait_until(lambda: len(crashes(alice, apps[0])) == 1, "the crash among the events")
    for app in apps:
        assert ("APP/PROC/WEB", f"after-{app['name']}") in alice.logs(app)
