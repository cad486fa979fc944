"""From the API call that creates a service to one that can be bound, against the same container made ready by hand."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from paas.host import install
from tests.bench.copies import Network, ServerCopy
from tests.bench.ground import Ground, soon
from tests.bench.table import Aim, Row, median
from tests.platform.client import Client, ends

PLAN, PLANS = "service_plan", {"postgres": "tiny-15", "redis": "micro-7"}
ROUNDS, AT_ONCE = 5, 10
PAUSE = 0.3  # seconds between the looks of each of many at once


def measure(ground: Ground) -> list[Row]:
    with network() as own:
        return [
            *(_alone(ground, own, service) for service in PLANS),
            *(_at_once(ground, own, service) for service in PLANS),
        ]


@contextmanager
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def instance(ground: Ground, service: str) -> Iterator[tuple[Any, float]]:
    """Give an instance, and the seconds until it could be bound."""
    made, taken = create(ground, ground.client, service)
    try:
        yield made, taken
    finally:
        delete(ground.client, made)


def create(ground: Ground, client: Client, service: str, *, pause: float = 0.02) -> tuple[Any, float]:
    offered = f"/v3/service_plans?service_offering_names={service}&names={PLANS[service]}"
    plan = soon(lambda: client.call("GET", offered)["resources"], f"{service} on offer", seconds=900, pause=1)[0]
    name = f"bench-{secrets.token_hex(4)}"
    body = {"type": "managed", "name": name, "relationships": {**ends("space", ground.space), **ends(PLAN, plan)}}
    began = time.monotonic()
    answer = client.send("POST", "/v3/service_instances", json=body)
    assert answer.status_code == 202, answer.text
    job = answer.headers["Location"].partition("/v3/")[2]
    ended = soon(lambda: _ended(client.call("GET", f"/v3/{job}")), "the instance", pause=pause)
    taken = time.monotonic() - began
    assert ended["state"] == "COMPLETE", ended
    return client.only(f"/v3/service_instances?names={name}"), taken


def delete(client: Client, made: Any) -> None:
    client.call("DELETE", f"/v3/service_instances/{made['guid']}")


def container(ground: Ground, guid: str) -> str:
    """Return the name of the instance's container."""
    found = install.load(ground.house.state)
    assert found
    return found.named(f"i-{guid}")


def _ended(job: Any) -> Any:
    return job["state"] in ("COMPLETE", "FAILED") and job


def _alone(ground: Ground, own: Network, service: str) -> Row:
    ours, by_hand = [], []
    for number in range(ROUNDS):
        ground.say(f"a {service}, {number + 1} of {ROUNDS}")
        with instance(ground, service) as (made, taken):
            ours.append(taken)
            by_hand.append(_by_hand([ServerCopy(own, container(ground, made["guid"]))], service))
    note = "The reference is the same container on a volume of the same size, ready once its superuser can log in."
    return Row(f"{service}, create to bindable", "s", median(ours), median(by_hand), Aim(1.3), note=note)


def _at_once(ground: Ground, own: Network, service: str) -> Row:
    clients = [Client(ground.house.port) for _ in range(AT_ONCE)]
    assert ground.space
    ground.say(f"{AT_ONCE} of {service} at once")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = time.monotonic()
        made = list(pool.map(lambda client: create(ground, client, service, pause=PAUSE)[0], clients))
        taken = time.monotonic() - began
        list(pool.map(delete, clients[1:], made[1:]))
    copies = [ServerCopy(own, container(ground, made[0]["guid"])) for _ in range(AT_ONCE)]
    by_hand = _by_hand(copies, service)
    delete(clients[0], made[0])
    return Row(f"{service}, {AT_ONCE} created at once, until all are bindable", "s", taken, by_hand)


def _by_hand(copies: list[ServerCopy], service: str) -> float:
    """Return the seconds until all can be used."""

    def bring_up(copy: ServerCopy) -> None:
        copy.start()
        copy.ready(service)

    try:
        with ThreadPoolExecutor(len(copies)) as pool:
            began = time.monotonic()
            list(pool.map(bring_up, copies))
            return time.monotonic() - began
    finally:
        for copy in copies:
            copy.remove()
