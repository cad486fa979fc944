"""Requests through the router against a bare Envoy with the same backend, and how soon a new route answers."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from paas.seams.routers.base import Endpoint, Route, Target
from tests.bench import load
from tests.bench.envoys import Running, backend_and_references
from tests.bench.ground import Ground
from tests.bench.table import Aim, Row, median
from tests.contracts.routing import APPS, RunningEnvoy, routes

SIZES = (1, 5000)
ROUNDS, SECONDS = 6, 2
NEW_ROUTES = 5
HOST = f"app-0.{APPS}"


def measure(ground: Ground) -> list[Row]:
    load.ensure()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, backend_and_references(Path(folder)) as (backend, bare, logging):
        for size in SIZES:
            ground.say(f"router, {_routes(size)}")
            router = RunningEnvoy()
            try:
                router.start()
                assert router.process
                table = [_route(number, backend) for number in range(size)]
                router.router.publish(routes(1, *table))
                found += _requests(size, Running(router.port, router.process.pid), bare, logging)
                found.append(_new_route(router, table, backend))
            finally:
                router.remove()
    return found


def _routes(size: int) -> str:
    return f"{size:,} route{'s' * (size > 1)}"


def _route(number: int, port: int) -> Route:
    endpoint = Endpoint(instance=f"instance-{number}", index=0, address="127.0.0.1", port=port)
    target = Target(app=f"app-{number}", weight=1, endpoints=(endpoint,))
    return Route(guid=f"route-{number}", host=f"app-{number}.{APPS}", path="", targets=(target,))


def _requests(size: int, ours: Running, bare: Running, logging: Running) -> list[Row]:
    """Ask all in turns, in both orders: what else the machine does then hits all alike."""
    bursts: dict[Running, list[load.Burst]] = {ours: [], bare: [], logging: []}
    for each in bursts:
        load.burst(each.port, HOST, seconds=1, pid=each.pid)  # connections, and whatever is made at first use
    for number in range(ROUNDS):
        for each in list(bursts)[:: -1 if number % 2 else 1]:
            bursts[each].append(load.burst(each.port, HOST, seconds=SECONDS, pid=each.pid))

    def both(name: str, reference: Running) -> list[float]:
        return [median(getattr(burst, name) for burst in bursts[each]) for each in (ours, reference)]

    what = f"router, {_routes(size)}"
    at_least, at_most = Aim(0.95, at_least=True), Aim(1 / 0.95)
    return [
        Row(f"{what}: requests per second", "/s", *both("per_second", bare), aim=at_least),
        Row(f"{what}: the same, reference logs too", "/s", *both("per_second", logging), aim=at_least),
        Row(f"{what}: p99 at full load", "ms", *both("p99", bare), aim=at_most),
        Row(f"{what}: the same, reference logs too", "ms", *both("p99", logging), aim=at_most),
        Row(f"{what}: processor time of a request", "µs", *both("processor", bare)),
        Row(f"{what}: the same, reference logs too", "µs", *both("processor", logging)),
    ]


def _new_route(ours: RunningEnvoy, table: list[Route], backend: int) -> Row:
    taken: list[float] = []
    for number in range(NEW_ROUTES):
        table = [*table, _route(len(table), backend)]
        began = time.monotonic()
        ours.router.publish(routes(2 + number, *table))
        while ours.ask(table[-1].host).status != 200:
            time.sleep(0.005)
        taken.append(time.monotonic() - began)
    what = f"router, {_routes(len(table) - NEW_ROUTES)}: from publish to the new route's answer"
    return Row(what, "s", median(taken), aim=Aim(1, of="ours"))
