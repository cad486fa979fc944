"""The agent with the engine away, with the machine's disk full, and with nonsense sent to it."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.lib.errors import ServiceUnavailable, Unprocessable
from paas.seams.runtimes.base import HealthCheck, ImageRef, LogLine, Sidecar
from tests.cell.machine import Machine, docker, wait_until
from tests.cell.relay import Relay

pytestmark = pytest.mark.slow

ALIVE = HealthCheck(type="process")


def test_with_the_engine_away_what_runs_stays_ready_and_is_logged(relayed: Machine, relay: Relay) -> None:
    seen = relayed.run(relayed.workload("stays"))
    relay.close()
    wait_until(relayed.problems, "the agent to notice")
    urllib.request.urlopen(f"http://{seen.address}:8080/say/meanwhile", timeout=10).close()
    wait_until(lambda: "meanwhile" in relayed.texts("stays"), "the line")
    now = relayed.seen(seen.instance)
    assert now and (now.state, now.ready, now.crashes) == ("running", True, 0)
    relay.open()
    wait_until(lambda: relayed.problems() == [], "the agent to be well again")
    again = relayed.seen(seen.instance)
    assert again and again.ready and again.since == seen.since


def test_an_end_while_the_engine_was_away_is_unknown_at_first_and_told_later(relayed: Machine, relay: Relay) -> None:
    workload = relayed.workload("ends", command="sleep 3; echo bye; exit 5", health=ALIVE)
    seen = relayed.run(workload)
    relay.close()
    wait_until(relayed.problems, "the agent to notice")
    now = wait_until(lambda: (now := relayed.seen(seen.instance)) and now.state == "unknown" and now, "its end")
    assert not now.ready
    relay.open()
    told = wait_until(lambda: [each for each in relayed.runtime.happenings(0) if each.app == "ends"], "the happening")
    assert (told[0].exit.status, told[0].exit.last_lines[-1]) == (5, "bye")


def test_an_agent_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with pytest.raises(ServiceUnavailable, match="agent of the machine"):
        machine.runtime.observe()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_machine_stops_neither_agent_nor_apps_and_loses_no_line(small_disk: Path) -> None:
    machine = Machine(small_disk)
    try:
        machine.start_agent()
        seen = machine.run(machine.workload("full"))
        with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 4096)
        urllib.request.urlopen(f"http://{seen.address}:8080/say/{'meanwhile' * 1000}", timeout=10).close()
        wait_until(lambda: any("cannot be written" in each for each in machine.problems() or ()), "the agent to say so")
        with pytest.raises(ServiceUnavailable):
            machine.runtime.write_log("full", [LogLine(0, "STG", "0", "OUT", "x" * 100_000)])
        now = machine.seen(seen.instance)
        assert now and now.ready
        (small_disk / "filler").unlink()
        wait_until(lambda: "meanwhile" * 1000 in machine.texts("full"), "the line")
        assert machine.texts("full").count("meanwhile" * 1000) == 1
        wait_until(lambda: machine.problems() == [], "the agent to be well again")
    finally:
        machine.close()


def test_a_droplet_that_does_not_fit_is_a_sentence_and_leaves_nothing(machine: Machine) -> None:
    source = machine.droplet({"app/big": "x" * (40 << 20)}, "true")
    with pytest.raises(Unprocessable, match="does not fit"):
        machine.runtime.apply(machine.workload("big", source=source, disk_mb=32))
    assert machine.runtime.observe(["big"]) == []
    assert not list((machine.folder / "disks").glob("big-*"))


def test_a_droplet_that_is_none_is_refused_and_leaves_nothing(machine: Machine) -> None:
    source = machine.droplet({}, "true")
    path = next((machine.folder / "blobs").rglob(f"*{source.digest}"))
    while path.is_dir():
        path = next(path.iterdir())
    path.write_bytes(b"no tar at all")
    with pytest.raises(Unprocessable, match="could not be unpacked"):
        machine.runtime.apply(machine.workload("broken", source=source))
    assert not list((machine.folder / "disks").glob("broken-*"))


def test_disks_are_of_the_size_asked_for_and_cost_what_is_in_them(machine: Machine) -> None:
    seen = machine.run(machine.workload("sparse", disk_mb=1024))
    image = machine.folder / "disks" / f"{seen.instance}.img"
    assert image.stat().st_size == 1 << 30 and image.stat().st_blocks * 512 < 64 << 20
    free = machine.inside(seen.instance, "df", "--output=size", "-m", "/home/vcap").stdout.split()[-1]
    assert 900 < int(free) <= 1024
    machine.runtime.prune("sparse", [], grace=1)
    assert not image.exists()


def test_an_image_runs_by_its_own_start_and_not_as_root(machine: Machine) -> None:
    context = machine.folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        f"FROM {machine.runtime.images['debian12']}\nUSER root\nWORKDIR /srv\n"
        'RUN echo kept > /srv/file\nVOLUME /data\nENTRYPOINT ["/bin/sh", "-c"]\n'
        'CMD ["id -u; cat file; touch /data/x && echo data; exec python3 -m http.server 8080"]\n'
    )
    name = f"paas-test-{machine.install}"
    docker("build", "--quiet", "--label", f"paas.install={machine.install}", "--tag", name, str(context))
    try:
        machine.run(machine.workload("image", source=ImageRef(name)))
        wait_until(lambda: "kept" in machine.texts("image"), "its output")
        assert "0" not in machine.texts("image") and "2000" in machine.texts("image")
        assert "data" in machine.texts("image")
        machine.runtime.prune("image", [], grace=1)
    finally:
        docker("image", "rm", "--force", name)


def test_an_image_that_is_nowhere_is_a_sentence(machine: Machine) -> None:
    with pytest.raises(Unprocessable, match="could not be fetched"):
        machine.runtime.apply(machine.workload("nowhere", source=ImageRef("127.0.0.1:9/none:1")))


def test_access_lines_of_the_router_reach_the_apps_log(machine: Machine) -> None:
    request = {
        "time": "2030-01-02T03:04:05.678Z",
        "app": "asked",
        "host": "asked.example.com",
        "method": "GET",
        "path": "/a?b=c",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes_in": 0,
        "bytes_out": 5,
        "duration_ms": 12,
        "user_agent": 'curl "quoted"',
        "forwarded_for": "192.0.2.1",
        "vcap_request_id": "id-1",
        "index": 0,
        "instance": "instance-1",
        "upstream": "10.0.0.2:8080",
        "referer": None,
        "flags": "-",
    }
    lines = [request, {**request, "app": None}, {**request, "app": "../x"}, {**request, "app": "other", "path": "/o"}]
    with (machine.folder / "router/access.log").open("a") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines) + "torn {\n")
    found = wait_until(lambda: machine.texts("asked", source_type="RTR"), "the line")
    assert found[0].startswith('asked.example.com - [2030-01-02T03:04:05.678Z] "GET /a?b=c HTTP/1.1" 200 0 5 "-" ')
    assert 'x_forwarded_for:"192.0.2.1"' in found[0] and "response_time:0.012000" in found[0]
    assert len(wait_until(lambda: machine.texts("other"), "the other line")) == 1


def test_access_lines_survive_a_killed_agent_without_loss_or_repetition(fresh: Machine) -> None:
    log = fresh.folder / "router/access.log"
    for number in range(5):
        line = {"time": "2026-01-02T03:04:05.678Z", "method": "GET", "path": f"/{number}", "app": f"app-{number % 2}"}
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        wait_until(
            lambda app=line["app"], number=number: any(f" /{number} " in t for t in fresh.texts(app)), "the line"
        )
        fresh.stop_agent(number=9)
        if number == 2:
            log.rename(log.with_name("access.log.1"))
        fresh.start_agent()
    assert [text.split('"')[1].split()[1] for text in fresh.texts("app-0")] == ["/0", "/2", "/4"]
    assert [text.split('"')[1].split()[1] for text in fresh.texts("app-1")] == ["/1", "/3"]


def test_sidecars_run_beside_the_command(machine: Machine) -> None:
    sidecars = (Sidecar("helper", "echo helping; exec sleep 600"),)
    seen = machine.run(machine.workload("sidecar", command="exec python3 server.py", sidecars=sidecars))
    wait_until(lambda: "helping" in machine.texts("sidecar"), "the sidecar")
    machine.inside(seen.instance, "pkill", "sleep")
    told = wait_until(lambda: [each for each in machine.runtime.happenings(0) if each.app == "sidecar"], "the crash")
    assert told[0].exit.reason in ("exited", "killed")
    wait_until(lambda: (now := machine.seen(seen.instance)) and now.ready and now.crashes == 1, "its return")
    machine.runtime.prune("sidecar", [], grace=3)
    assert "got the signal" in machine.texts("sidecar")


def test_the_agent_stays_small(machine: Machine) -> None:
    assert machine.agent
    status = Path(f"/proc/{machine.agent.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0])
    assert resident < 60 * 1024
