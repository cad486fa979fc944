"""An app's log as its team reads it: every source, in order, whole, through crashes and redeploys, and nobody else's."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.platform.client import Client, belongs, wait_until
from tests.platform.servers import talking_server

WEB = "APP/PROC/WEB"


@dataclass(frozen=True)
class Line:
    at: int
    source: str
    instance: str
    stream: str
    text: str


@pytest.fixture(scope="module")
def space(root: Client) -> Iterator[Any]:
    made = root.space(f"org-{secrets.token_hex(3)}", "production")
    yield made
    root.call("DELETE", f"/v3/organizations/{made['relationships']['organization']['data']['guid']}")


@pytest.fixture(scope="module")
def alice(root: Client, space: Any) -> Client:
    return root.person("alice", space)


@pytest.fixture(scope="module")
def app(alice: Client, space: Any) -> Any:
    made = alice.push(space, f"app-{secrets.token_hex(3)}", talking_server())
    wait_until(lambda: alice.fetch(made["name"]).status_code == 204, "the app to answer")
    return made


def lines(client: Client, app: Any, *, since: int = 0, source: str = WEB) -> list[Line]:
    """Read the app's lines of one source, page by page with a cursor."""
    found: list[Line] = []
    while True:
        asked = {"start_time": since, "limit": 1000, "envelope_types": "LOG"}
        batch = client.call("GET", f"/api/v1/read/{app['guid']}", params=asked)["envelopes"]["batch"]
        found += [line for line in map(_line, batch) if line.source.startswith(source)]
        if not batch:
            return found
        since = int(batch[-1]["timestamp"]) + 1


def _line(envelope: Any) -> Line:
    text = base64.b64decode(envelope["log"]["payload"]).decode()
    kind, stream = envelope["tags"]["source_type"], envelope["log"]["type"]
    return Line(int(envelope["timestamp"]), kind, envelope["instance_id"], stream, text)


def say(client: Client, app: Any, text: str, path: str = "/say") -> Line:
    """Let the app say it; return the line once it can be read."""
    client.fetch(app["name"], path, params={"text": text})
    return next_line(client, app, text)


def next_line(client: Client, app: Any, text: str, *, since: int = 0, source: str = WEB) -> Line:
    return wait_until(
        lambda: next((line for line in lines(client, app, since=since, source=source) if line.text == text), None),
        f"the line {text[:60]!r}",
    )


def marker() -> str:
    return f"mark-{secrets.token_hex(4)}"


def test_every_source_is_in_the_log_under_its_name(alice: Client, app: Any) -> None:
    out, err = say(alice, app, marker()), say(alice, app, marker(), "/warn")
    assert (out.source, out.stream, out.instance) == (WEB, "OUT", "0")
    assert (err.source, err.stream, err.instance) == (WEB, "ERR", "0")
    word = marker()
    alice.call("POST", f"/v3/apps/{app['guid']}/tasks", {"command": f"echo {word}", "name": "migrate"})
    assert next_line(alice, app, word, source="APP/TASK").source == "APP/TASK/migrate"
    staging = [line.text for line in lines(alice, app, source="STG")]
    assert any("python_buildpack" in text for text in staging)
    assert "Revision 1 is live" in [line.text for line in lines(alice, app, source="CELL")]
    where = f"/say?text={marker()}"
    alice.fetch(app["name"], where)
    asked = wait_until(
        lambda: [line for line in lines(alice, app, source="RTR") if f'"GET {where} ' in line.text], "the access line"
    )
    assert len(asked) == 1 and re.search(r'" 204 0 0 "-" ".+" ".+" ".+:8080" .*app_index:"0"', asked[0].text)


def test_the_log_outlives_a_crash_a_redeploy_a_restage_and_a_stop(alice: Client, app: Any) -> None:
    path, said = f"/v3/apps/{app['guid']}", []

    def again() -> None:
        wait_until(lambda: alice.fetch(app["name"]).status_code == 204, "the app to answer")
        said.append(say(alice, app, marker()).text)

    again()
    with suppress(requests.RequestException):
        alice.fetch(app["name"], "/exit")
    again()
    next_line(alice, app, "Exit status 9")
    alice.deployed(alice.call("POST", "/v3/deployments", belongs("app", app)))
    again()
    package = alice.call("GET", f"{path}/packages")["resources"][0]
    built = alice.build(package)
    alice.use(app, built["droplet"])
    alice.call("POST", f"{path}/actions/restart")
    wait_until(
        lambda: not alice.call("GET", f"/v3/deployments?app_guids={app['guid']}&status_values=ACTIVE")["resources"],
        "the restart",
    )
    again()
    alice.call("POST", f"{path}/actions/stop")
    wait_until(lambda: alice.fetch(app["name"]).status_code == 503, "the app to stop")
    alice.call("POST", f"{path}/actions/start")
    again()
    found = lines(alice, app)
    assert [line.text for line in found if line.text in said] == said
    assert [line.at for line in found] == sorted({line.at for line in found})


def test_ten_thousand_lines_in_a_second_arrive_whole_and_in_order(alice: Client, app: Any) -> None:
    begun = say(alice, app, marker()).at
    alice.fetch(app["name"], "/count", params={"count": 10_000, "size": 80})
    end = say(alice, app, marker())
    counted = [line.text for line in lines(alice, app, since=begun + 1) if line.at < end.at]
    assert counted == [f"{number} ".ljust(80, "x") for number in range(10_000)]


def test_a_line_of_a_megabyte_stays_one(alice: Client, app: Any) -> None:
    begun = say(alice, app, marker()).at
    alice.fetch(app["name"], "/long", params={"size": (1 << 20) - 1})
    end = say(alice, app, marker())
    assert [line.text for line in lines(alice, app, since=begun + 1)] == ["a" * ((1 << 20) - 1) + "z", end.text]


def test_bytes_that_are_no_text_break_no_line_apart(alice: Client, app: Any) -> None:
    begun = say(alice, app, marker()).at
    alice.fetch(app["name"], "/bytes")
    end = say(alice, app, marker())
    odd, last = lines(alice, app, since=begun + 1)
    assert last.text == end.text and "ABCDEFG" in odd.text and "\ufffd" in odd.text


def test_half_a_line_is_kept_when_the_app_ends(alice: Client, app: Any) -> None:
    begun = say(alice, app, marker()).at
    alice.fetch(app["name"], "/partial")
    with suppress(requests.RequestException):
        alice.fetch(app["name"], "/exit")
    next_line(alice, app, "half a line", since=begun)
    wait_until(lambda: alice.fetch(app["name"]).status_code == 204, "the app to answer")


def test_beyond_the_rate_limit_lines_are_dropped_and_counted(alice: Client, space: Any, app: Any) -> None:
    limited = alice.create_app(space, f"app-{secrets.token_hex(3)}")
    alice.route(limited, space, limited["name"])
    current = alice.call("GET", f"/v3/apps/{app['guid']}/droplets/current")
    copy = alice.call("POST", f"/v3/droplets?source_guid={current['guid']}", belongs("app", limited))
    wait_until(lambda: alice.call("GET", f"/v3/droplets/{copy['guid']}")["state"] == "STAGED", "the droplet's copy")
    alice.use(limited, copy)
    limit = {"log_rate_limit_in_bytes_per_second": 5000}
    alice.call("POST", f"/v3/processes/{limited['guid']}/actions/scale", limit)
    alice.call("POST", f"/v3/apps/{limited['guid']}/actions/start")
    wait_until(lambda: alice.fetch(limited["name"]).status_code == 204, "the app to answer")
    alice.fetch(limited["name"], "/count", params={"count": 1000, "size": 100})

    def told() -> tuple[int, int]:
        dropped = [
            re.search(r"\(5000 bytes/sec\): (\d+) lines", line.text) for line in lines(alice, limited, source="LGR")
        ]
        arrived = [line for line in lines(alice, limited) if line.text.endswith("xxx")]
        return sum(int(found[1]) for found in dropped if found), len(arrived)

    wait_until(lambda: sum(told()) >= 1000, "every line to arrive or to be counted")
    dropped, arrived = told()
    assert dropped + arrived == 1000 and 50 <= arrived <= 150  # a second's worth, and what one more lets through
    assert say(alice, limited, marker())  # below the limit again


def test_nothing_of_another_app_is_in_a_log(root: Client, alice: Client, space: Any, app: Any) -> None:
    other = alice.push(space, f"app-{secrets.token_hex(3)}", talking_server())
    wait_until(lambda: alice.fetch(other["name"]).status_code == 204, "the app to answer")
    for _ in range(3):
        mine, theirs = marker(), marker()
        say(alice, app, mine)
        say(alice, other, theirs)
        assert mine not in str(lines(alice, other, source="")) and theirs not in str(lines(alice, app, source=""))
    elsewhere = root.space(f"org-{secrets.token_hex(3)}", "elsewhere")
    mallory = root.person("mallory", elsewhere)
    assert mallory.send("GET", f"/api/v1/read/{app['guid']}").status_code == 404
    root.call("DELETE", f"/v3/organizations/{elsewhere['relationships']['organization']['data']['guid']}")
