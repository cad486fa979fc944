"""Log lines from real containers, read back through the API: how many a second without loss, and how soon."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench import chatter
from tests.bench.ground import Ground, soon
from tests.bench.table import Aim, Row, percentile

APPS, INSTANCES, RATE, SECONDS = 4, 2, 2500, 10  # in all, a little more than the aim, and less than what is kept
PROBE = 20  # lines a second of the app whose delays are taken
POLL = 0.05
PAGE = 1000


def measure(ground: Ground) -> list[Row]:
    probe, many = _app(ground, 1), [_app(ground, INSTANCES) for _ in range(APPS)]
    ground.say(f"delay of log lines at rest, {SECONDS} s")
    with _delays(ground, probe) as at_rest:
        _say(ground, probe, 1, PROBE)
        time.sleep(SECONDS + 1)
    ground.say(f"{APPS * INSTANCES * RATE:,} log lines a second, {SECONDS} s")
    with _delays(ground, probe) as under_load:
        _say(ground, probe, 1, PROBE)
        began = time.monotonic()
        for app in many:
            _say(ground, app, INSTANCES, RATE)
        for app in many:
            soon(lambda app=app: _ended(ground, app) == INSTANCES, "the last lines")
        taken = time.monotonic() - began
    printed = APPS * INSTANCES * RATE * SECONDS
    kept = sum(len(set(_numbers(ground, app))) for app in many)
    aim = Aim(1, of="ours")
    return [
        Row("log lines per second, end to end", "/s", kept / taken, aim=Aim(16_000, of="ours", at_least=True)),
        Row(f"log lines lost, of {printed:,}", "", printed - kept, aim=Aim(0, of="ours")),
        Row("log delay from print to read, p99, at rest", "s", percentile(at_rest, 0.99), aim=aim),
        Row("log delay from print to read, p99, under that load", "s", percentile(under_load, 0.99), aim=aim),
    ]


def _app(ground: Ground, instances: int) -> Any:
    client, name = ground.client, f"logs-{secrets.token_hex(3)}"
    app = client.create_app(ground.space, name)
    size = {"instances": instances, "memory_in_mb": 64, "disk_in_mb": 64}
    client.call("POST", f"/v3/apps/{app['guid']}/processes/web/actions/scale", size)
    client.route(app, ground.space, name)
    client.use(app, client.droplet(app, chatter.FILES))
    client.call("POST", f"/v3/apps/{app['guid']}/actions/start")
    soon(lambda: all(each["state"] == "RUNNING" for each in client.stats(app)), "the instances")
    return app


def _say(ground: Ground, app: Any, instances: int, rate: int) -> None:
    """Ask until every instance has heard it; each does it once."""
    path, heard = f"/say/{secrets.token_hex(4)}/{rate}/{SECONDS}", set()
    while len(heard) < instances:
        heard.add(ground.client.fetch(app["name"], path).text)


@contextmanager
def _delays(ground: Ground, app: Any) -> Iterator[list[float]]:
    """Follow the app's log for the length of the block; collects the seconds from print to read of every line."""
    found: list[float] = []
    stop = threading.Event()

    def follow() -> None:
        cursor = time.time_ns()
        while not stop.wait(POLL):
            lines = _read(ground, app, start_time=cursor)
            now = time.time_ns()
            found.extend((now - int(text.split()[3])) / 1e9 for _, text in lines if text.startswith("line "))
            cursor = lines[-1][0] + 1 if lines else cursor

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _ended(ground: Ground, app: Any) -> int:
    """Return how many instances have said their last line."""
    return sum(text.startswith("done ") for _, text in _read(ground, app, descending="true", limit=100))


def _numbers(ground: Ground, app: Any) -> Iterator[tuple[str, str]]:
    """Read the whole log in pages, as a client does; yield instance and number of each of the app's lines."""
    cursor = 0
    while lines := _read(ground, app, start_time=cursor):
        cursor = lines[-1][0] + 1
        for _, text in lines:
            if text.startswith("line "):
                _, index, number, *_ = text.split(maxsplit=3)
                yield index, number


def _read(ground: Ground, app: Any, **asked: Any) -> list[tuple[int, str]]:
    query = {"limit": PAGE, "envelope_types": "LOG", **asked}
    batch = ground.client.call("GET", f"/api/v1/read/{app['guid']}", params=query)["envelopes"]["batch"]
    return [(int(each["timestamp"]), base64.b64decode(each["log"]["payload"]).decode()) for each in batch]
