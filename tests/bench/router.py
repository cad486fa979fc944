"""Requests through the router against a bare Envoy with the same backend, and how soon a new route answers."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from paas.seams.routers.base import Endpoint, Route, Target
from tests.bench import load
from tests.bench.envoys import backend_and_reference
from tests.bench.ground import Ground
from tests.bench.table import Aim, Row, median
from tests.contracts.routing import APPS, RunningEnvoy, routes

SIZES = (1, 5000)
ROUNDS, SECONDS = 7, 3
NEW_ROUTES = 5
HOST = f"app-0.{APPS}"


def measure(ground: Ground) -> list[Row]:
    load.ensure()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, backend_and_reference(Path(folder)) as (backend, reference):
        for size in SIZES:
            ground.say(f"router with {size:,} routes")
            ours = RunningEnvoy()
            try:
                ours.start()
                table = [_route(number, backend) for number in range(size)]
                ours.router.publish(routes(1, *table))
                found += _requests(size, ours.port, reference)
                found.append(_new_route(ours, table, backend))
            finally:
                ours.remove()
    return found


def _route(number: int, port: int) -> Route:
    endpoint = Endpoint(instance=f"instance-{number}", index=0, address="127.0.0.1", port=port)
    target = Target(app=f"app-{number}", weight=1, endpoints=(endpoint,))
    return Route(guid=f"route-{number}", host=f"app-{number}.{APPS}", path="", targets=(target,))


def _requests(size: int, ours: int, reference: int) -> list[Row]:
    """Ask both in turns, each first as often as second: what else the machine does then hits both alike."""
    bursts: dict[int, list[load.Burst]] = {ours: [], reference: []}
    for port in bursts:
        load.burst(port, HOST, seconds=1)  # connections and whatever is made at first use
    for number in range(ROUNDS):
        for port in (ours, reference)[:: -1 if number % 2 else 1]:
            bursts[port].append(load.burst(port, HOST, seconds=SECONDS))
    what = f"router, {size:,} route{'s' * (size > 1)}"
    rates, p99s = (
        [median(getattr(each, name) for each in bursts[port]) for port in (ours, reference)]
        for name in ("per_second", "p99")
    )
    return [
        Row(f"{what}: requests per second", "/s", *rates, aim=Aim(0.95, at_least=True)),
        Row(f"{what}: p99 at full load", "ms", *p99s, aim=Aim(1 / 0.95)),
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
    what = f"router, {len(table) - NEW_ROUTES:,} routes: from publish to the new route's answer"
    return Row(what, "s", median(taken), aim=Aim(1, of="ours"))
