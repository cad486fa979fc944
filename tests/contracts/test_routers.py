"""The router's contract, on Envoy and on the fake."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from paas.seams.routers import KINDS
from paas.seams.routers.base import Endpoint, Route, RouterRefused, Target
from tests.contracts.routing import (
    APPS,
    DOMAIN,
    Backend,
    FakeAsked,
    RunningEnvoy,
    route,
    routes,
    target,
    wait_until,
)

HOST = f"shop.{APPS}"


@pytest.fixture(scope="module")
def backends() -> Iterator[dict[str, Backend]]:
    found = {name: Backend(name) for name in ("one", "two", "three")}
    yield found
    for backend in found.values():
        backend.stop()


@pytest.fixture
def one(backends: dict[str, Backend]) -> Backend:
    return backends["one"]


@pytest.fixture
def two(backends: dict[str, Backend]) -> Backend:
    return backends["two"]


@pytest.fixture
def three(backends: dict[str, Backend]) -> Backend:
    return backends["three"]


@pytest.fixture(
    params=[pytest.param(kind, marks=pytest.mark.slow if kind == "envoy" else ()) for kind in sorted(KINDS)]
)
def kind(request: pytest.FixtureRequest) -> Iterator[RunningEnvoy | FakeAsked]:
    if request.param == "fake":
        yield FakeAsked()
        return
    envoy = RunningEnvoy()
    envoy.start()
    yield envoy
    envoy.remove()


def answers(kind: RunningEnvoy | FakeAsked, host: str, path: str = "/", *, instance: str) -> None:
    wait_until(lambda: kind.ask(host, path).instance == instance, f"{host}{path} is answered by {instance}")


def test_before_the_first_publish_nothing_is_known(kind: RunningEnvoy | FakeAsked) -> None:
    assert kind.router.version() == 0
    assert kind.ask(HOST).status == 404


def test_a_published_route_is_answered(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(7, route(HOST, target("shop", one))))
    assert kind.ask(HOST).instance == "one"
    assert kind.router.version() == 7


def test_a_route_that_is_not_in_the_next_state_is_gone(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    other = f"other.{APPS}"
    kind.router.publish(routes(1, route(HOST, target("shop", one)), route(other, target("other", one))))
    kind.router.publish(routes(2, route(other, target("other", one))))
    wait_until(lambda: kind.ask(HOST).status == 404, "the route is gone")
    assert kind.ask(other).instance == "one"


def test_a_route_moves_to_its_new_instances(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    kind.router.publish(routes(2, route(HOST, target("shop", two))))
    answers(kind, HOST, instance="two")
    assert {kind.ask(HOST).instance for _ in range(10)} == {"two"}


def test_an_older_version_is_ignored(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    kind.router.publish(routes(5, route(HOST, target("shop", one))))
    kind.router.publish(routes(4, route(HOST, target("shop", two))))
    assert kind.router.version() == 5
    assert kind.ask(HOST).instance == "one"


def test_the_same_publish_twice_is_harmless(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    for _ in range(2):
        kind.router.publish(routes(3, route(HOST, target("shop", one))))
    assert kind.router.version() == 3
    assert kind.ask(HOST).instance == "one"


def test_everything_can_be_taken_away(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    kind.router.publish(routes(2))
    wait_until(lambda: kind.ask(HOST).status == 404, "the route is gone")
    assert kind.router.version() == 2


def test_a_route_without_a_ready_instance_is_unavailable(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop"))))
    assert kind.ask(HOST).status == 503
    kind.router.publish(routes(2, route(HOST, target("shop", one))))
    answers(kind, HOST, instance="one")


def test_an_unknown_host_is_not_found(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    for host in (f"unknown.{APPS}", APPS, "test", f"x{HOST}", f"x.{HOST}", "127.0.0.1"):
        assert kind.ask(host).status == 404, host


def test_a_host_is_known_by_any_case_with_a_port_or_a_dot(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    for host in (HOST.upper(), f"{HOST}:8080", f"{HOST}.", f"{HOST}.:8080"):
        assert kind.ask(host).instance == "one", host


def test_the_longest_path_wins_at_whole_segments(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend, three: Backend
) -> None:
    kind.router.publish(
        routes(
            1,
            route(HOST, target("site", one)),
            route(HOST, target("api2", three), path="/api/v2"),
            route(HOST, target("api", two), path="/api"),
        )
    )
    led = {"/": "one", "/apix": "one", "/api": "two", "/api/": "two", "/api/v21": "two", "/api/v2": "three"}
    led |= {"/api/v2/things?q=/": "three", "/x/api": "one"}
    assert {path: kind.ask(HOST, path).instance for path in led} == led


def test_a_path_that_no_route_covers_is_not_found(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("api", one), path="/api")))
    assert kind.ask(HOST, "/api/x").instance == "one"
    assert kind.ask(HOST, "/other").status == 404


def test_a_wildcard_takes_what_no_exact_host_takes(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend, three: Backend
) -> None:
    kind.router.publish(
        routes(
            1,
            route(f"*.{APPS}", target("all", one)),
            route(f"*.deep.{APPS}", target("deep", two)),
            route(HOST, target("shop", three)),
        )
    )
    led = {f"any.{APPS}": "one", f"a.b.{APPS}": "one", f"x.deep.{APPS}": "two", f"deep.{APPS}": "one", HOST: "three"}
    assert {host: kind.ask(host).instance for host in led} == led
    assert kind.ask(APPS).status == 404


def test_a_path_that_the_exact_host_lacks_falls_to_the_wildcard(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend
) -> None:
    found = routes(1, route(f"*.{APPS}", target("all", one)), route(HOST, target("api", two), path="/api"))
    kind.router.publish(found)
    assert kind.ask(HOST, "/api").instance == "two"
    assert kind.ask(HOST, "/other").instance == "one"


def test_instances_share_the_requests(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one, two))))
    assert {kind.ask(HOST).instance for _ in range(30)} == {"one", "two"}


def test_weights_split_the_requests_between_apps(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend, three: Backend
) -> None:
    kind.router.publish(routes(1, route(HOST, target("old", one, two, weight=3), target("new", three, weight=1))))
    seen = Counter(kind.ask(HOST).instance for _ in range(240))
    assert 40 <= seen["three"] <= 80
    assert 60 <= seen["one"] <= 120
    assert 60 <= seen["two"] <= 120


def test_an_app_of_no_weight_gets_no_request(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    kind.router.publish(routes(1, route(HOST, target("old", one), target("new", two, weight=0))))
    assert {kind.ask(HOST).instance for _ in range(20)} == {"one"}


def test_a_weighted_app_without_an_instance_leaves_its_share_to_the_others(
    kind: RunningEnvoy | FakeAsked, one: Backend
) -> None:
    kind.router.publish(routes(1, route(HOST, target("old", one), target("new", weight=9))))
    assert {kind.ask(HOST).instance for _ in range(10)} == {"one"}


def test_the_least_connected_instance_can_be_asked_for(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend
) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one, two), balancing="least-connection")))
    assert {kind.ask(HOST).instance for _ in range(40)} == {"one", "two"}


def test_a_bad_address_is_refused_and_what_was_there_goes_on(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend
) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    bad = Target(app="bad", weight=1, endpoints=(Endpoint(instance="x", index=0, address="no.address", port=80),))
    with pytest.raises(RouterRefused, match="malformed"):
        kind.router.publish(routes(2, route(HOST, target("shop", two)), route(f"bad.{APPS}", bad)))
    assert kind.router.version() == 1
    answers(kind, HOST, instance="one")
    assert kind.ask(f"bad.{APPS}").status == 404
    kind.router.publish(routes(3, route(HOST, target("shop", two))))
    answers(kind, HOST, instance="two")


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("Shop.apps.test", ""),
        ("shop apps", ""),
        ("", ""),
        ("*", ""),
        ("shop.*.test", ""),
        ("shop.test:80", ""),
        ("shop.test", "/"),
        ("shop.test", "api"),
        ("shop.test", "/api/"),
        ("shop.test", "/a?b"),
    ],
)
def test_a_malformed_route_is_refused(kind: RunningEnvoy | FakeAsked, one: Backend, host: str, path: str) -> None:
    kind.router.publish(routes(1, route(HOST, target("shop", one))))
    with pytest.raises(RouterRefused, match="Route"):
        kind.router.publish(routes(2, Route(guid="r", host=host, path=path, targets=(target("shop", one),))))
    assert kind.router.version() == 1
    assert kind.ask(HOST).instance == "one"


def test_two_routes_with_one_address_are_refused(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    twin = Route(guid="twin", host=HOST, path="", targets=(target("other", two),))
    with pytest.raises(RouterRefused, match="both claim"):
        kind.router.publish(routes(1, route(HOST, target("shop", one)), twin))
    assert kind.router.version() == 0


def test_no_route_takes_a_host_of_the_console(kind: RunningEnvoy | FakeAsked, one: Backend) -> None:
    taken = [route(host, target("thief", one)) for host in (DOMAIN, f"api.{DOMAIN}", f"*.{DOMAIN}")]
    kind.router.publish(routes(1, *taken, route(HOST, target("shop", one))))
    assert kind.ask(HOST).instance == "one"
    for host in (DOMAIN, f"API.{DOMAIN}.:80"):
        assert kind.ask(host).instance == "", host


def test_a_thousand_routes_each_lead_to_their_own_app(
    kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend
) -> None:
    led = {f"app-{number}.{APPS}": (one, two)[number % 2] for number in range(1000)}
    kind.router.publish(routes(1, *(route(host, target(host, backend)) for host, backend in led.items())))
    for number in (0, 1, 499, 500, 998, 999):
        host = f"app-{number}.{APPS}"
        assert kind.ask(host).instance == led[host].name


def test_of_two_publishers_at_once_the_newer_stays(kind: RunningEnvoy | FakeAsked, one: Backend, two: Backend) -> None:
    def publish(versions: range, backend: Backend) -> None:
        for version in versions:
            kind.router.publish(routes(version, route(HOST, target("shop", backend))))

    older = threading.Thread(target=publish, args=(range(1, 20), one))
    newer = threading.Thread(target=publish, args=(range(20, 40), two))
    for thread in (older, newer):
        thread.start()
    for thread in (older, newer):
        thread.join(60)
    assert kind.router.version() == 39
    answers(kind, HOST, instance="two")
