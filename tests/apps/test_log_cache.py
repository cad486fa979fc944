"""Reading logs as ``cf logs`` does."""

from __future__ import annotations

import base64
import json

import pytest
from rest_framework.test import APIClient

from paas.seams.runtimes.base import LogLine

BEGINNING = -6795364578871345152  # what clients send for the year 1


@pytest.fixture
def lines(runtime, app):
    """Four lines of the app's log, from four sources."""
    sources = [("STG", "0", "OUT", "building"), ("APP/PROC/WEB", "1", "OUT", "grüße"), ("RTR", "0", "OUT", "GET /")]
    written = [LogLine(0, *source) for source in [*sources, ("APP/PROC/WORKER/SIDECAR/x", "0", "ERR", "oh")]]
    runtime.write_log(app.guid, written)
    return runtime.logs[app.guid]


def read(client, app, query=""):
    return client.get(f"/api/v1/read/{app.guid}{query}")


def batch(response):
    assert response.status_code == 200, response.content
    return response.json()["envelopes"]["batch"]


def texts(response):
    return [base64.b64decode(each["log"]["payload"]).decode() for each in batch(response)]


def test_anybody_may_ask_what_is_spoken_here():
    answer = APIClient().get("/api/v1/info")
    assert answer.status_code == 200
    assert set(answer.json()) == {"version", "vm_uptime"}
    assert answer.json()["version"] == "2.11.0"
    assert answer.json()["vm_uptime"].isdigit()


def test_lines_come_as_envelopes_without_an_unknown_field(api, alice, app, lines):
    answer = read(api(alice), app)
    assert answer.headers["Content-Type"].startswith("application/json")
    second = batch(answer)[1]
    assert set(second) == {"timestamp", "source_id", "instance_id", "deprecated_tags", "tags", "log"}
    assert second["timestamp"] == str(lines[1].at)
    assert (second["source_id"], second["instance_id"], second["deprecated_tags"]) == (app.guid, "1", {})
    assert set(second["log"]) == {"payload", "type"}
    assert all(isinstance(value, str) for value in second["tags"].values())
    assert second["tags"]["source_type"] == "APP/PROC/WEB"
    assert second["tags"]["process_type"] == "web"
    assert second["tags"]["app_name"] == "site"
    assert texts(answer) == ["building", "grüße", "GET /", "oh"]
    last = batch(answer)[3]
    assert (last["log"]["type"], last["tags"]["process_type"]) == ("ERR", "worker")


def test_who_may_see_the_space_reads_its_logs(api, bob, dora, root, app, lines):
    for user in (bob, dora, root):
        assert len(batch(read(api(user), app))) == 4


def test_a_stranger_finds_nothing(api, charlie, app, lines):
    assert read(api(charlie), app).status_code == 404
    assert api(charlie).get("/api/v1/read/nothing").status_code == 404
    assert api(charlie).get("/api/v1/read/%00").status_code == 404


def test_nobody_reads_without_a_token(app, lines):
    assert read(APIClient(), app).status_code == 401


def test_an_app_that_said_nothing(api, alice, runtime, app):
    assert read(api(alice), app).json() == {"envelopes": {"batch": []}}


def test_the_newest_first_as_recent_logs_are_asked_for(api, alice, app, lines):
    query = f"?envelope_types=LOG&limit=1000&descending=true&start_time={BEGINNING}"
    assert texts(read(api(alice), app, query)) == ["oh", "GET /", "grüße", "building"]
    assert texts(read(api(alice), app, f"?descending=true&limit=1&start_time={BEGINNING}")) == ["oh"]


def test_a_window_of_time(api, alice, app, lines):
    second, fourth = lines[1].at, lines[3].at
    assert texts(read(api(alice), app, f"?start_time={second}&end_time={fourth}")) == ["grüße", "GET /"]
    assert texts(read(api(alice), app, f"?start_time={fourth + 1}")) == []
    assert texts(read(api(alice), app, f"?start_time={BEGINNING}&end_time=-5")) == []
    assert len(texts(read(api(alice), app, "?end_time=0"))) == 4


def test_only_lines_are_kept(api, alice, app, lines):
    assert texts(read(api(alice), app, "?envelope_types=COUNTER&envelope_types=GAUGE")) == []
    assert len(texts(read(api(alice), app, "?envelope_types=COUNTER&envelope_types=LOG"))) == 4
    assert texts(read(api(alice), app, "?name_filter=cpu")) == []


def test_a_hundred_lines_unless_asked_otherwise(api, alice, runtime, app):
    runtime.write_log(app.guid, [LogLine(0, "APP/PROC/WEB", "0", "OUT", "\n".join("x" * 150))])
    assert len(batch(read(api(alice), app))) == 100
    assert len(batch(read(api(alice), app, "?limit=1000"))) == 150


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=-1",
        "limit=many",
        "start_time=now",
        "start_time=99999999999999999999",
        "start_time=5&end_time=4",
    ],
)
def test_what_makes_no_sense_is_refused(api, alice, app, lines, query):
    answer = read(api(alice), app, f"?{query}")
    assert answer.status_code == 400
    assert json.loads(answer.content)["errors"][0]["detail"].endswith(".")
