"""Instances that end, hang or run out of memory, with nothing there but the engine and the agent."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from paas.seams.runtimes.base import Happening, HealthCheck, Observation
from tests.cell.machine import Machine, docker, wait_until

pytestmark = pytest.mark.slow

ALIVE = HealthCheck(type="process")


def happened(machine: Machine, app: str, count: int = 1) -> list[Happening]:
    def told() -> list[Happening] | None:
        found = [each for each in machine.runtime.happenings(0) if each.app == app]
        return found if len(found) >= count else None

    return list(wait_until(told, f"{count} happenings of {app}"))


def ask(seen: Observation, path: str) -> None:
    with suppress(urllib.error.URLError, ConnectionError):
        urllib.request.urlopen(f"http://{seen.address}:8080{path}", timeout=10)


def state(machine: Machine, instance: str) -> Any:
    return docker("inspect", "--format", "{{.State.Status}} {{.State.StartedAt}}", machine.container(instance)).split()


def test_an_app_that_exits_at_once_is_started_again_with_growing_pauses(machine: Machine) -> None:
    workload = machine.workload("exits", command="echo trying; exit 3", health=ALIVE)
    machine.runtime.apply(workload)
    told = happened(machine, "exits", 7)
    pauses = [(after.at - before.at).total_seconds() for before, after in pairwise(told)]
    assert all(pause >= 0.09 * 2**number for number, pause in enumerate(pauses)), pauses  # the engine's own, at least
    assert {(each.exit.status, each.exit.reason) for each in told} == {(3, "exited")}
    assert all(each.exit.last_lines[-1] == "trying" for each in told)
    seen = wait_until(
        lambda: (now := machine.seen(workload.instances[0].guid)) and now.crashes >= 5 and now, "the count"
    )
    assert seen.state in ("crashed", "starting", "running")
    machine.runtime.prune("exits", [])
    assert machine.runtime.observe(["exits"]) == []


def test_out_of_memory_is_named_as_such(machine: Machine) -> None:
    workload = machine.workload("hog", command="exec python3 -c 'x = bytearray(500 << 20)'", health=ALIVE)
    machine.runtime.apply(workload)
    told = happened(machine, "hog")[0]
    assert (told.exit.status, told.exit.reason) == (137, "out of memory")
    wait_until(lambda: "Exit status 137 (out of memory)" in machine.texts("hog"), "the line")
    machine.runtime.prune("hog", [])


def test_a_child_that_ran_out_of_memory_is_not_the_app(machine: Machine) -> None:
    command = "python3 -c 'x = bytearray(500 << 20)'; sleep 1; exit 7"
    machine.runtime.apply(machine.workload("child", command=command, health=ALIVE))
    told = happened(machine, "child")[0]
    assert (told.exit.status, told.exit.reason) == (7, "exited")
    machine.runtime.prune("child", [])


def test_an_app_that_never_answers_is_ended_as_unhealthy(machine: Machine) -> None:
    health = HealthCheck(type="port", timeout=3)
    workload = machine.workload("deaf", command="exec sleep 600", health=health)
    machine.runtime.apply(workload)
    told = happened(machine, "deaf")[0]
    assert (told.kind, told.exit.reason) == ("unhealthy", "unhealthy")
    assert "Failed to make TCP connection to port 8080: connection refused" in machine.texts(
        "deaf", source_type="HEALTH"
    )
    seen = machine.seen(workload.instances[0].guid)
    assert seen and not seen.ready
    machine.runtime.prune("deaf", [])


def test_an_app_that_hangs_later_is_ended_and_started_again(machine: Machine) -> None:
    health = HealthCheck(type="http", timeout=30, interval=1, invocation_timeout=1)
    workload = machine.workload("hangs", health=health)
    seen = machine.run(workload)
    ask(seen, "/say/before")
    pid = int(docker("exec", machine.container(seen.instance), "pgrep", "-f", "server.py").split()[0])
    machine.inside(seen.instance, "kill", "-STOP", str(pid))
    told = happened(machine, "hangs")[0]
    assert told.exit.reason == "unhealthy" and "before" in told.exit.last_lines
    assert wait_until(lambda: (now := machine.seen(seen.instance)) and now.ready and now.crashes == 1, "its return")
    machine.runtime.prune("hangs", [])


def test_an_http_check_wants_a_200(machine: Machine) -> None:
    health = HealthCheck(type="http", timeout=600)
    workload = machine.workload("teapot", health=health, environment={"ANSWER": "418"})
    machine.runtime.apply(workload)
    guid = workload.instances[0].guid
    wait_until(lambda: "listening" in machine.texts("teapot"), "its start")
    time.sleep(2)
    seen = machine.seen(guid)
    assert seen and seen.state == "starting" and not seen.ready
    machine.runtime.prune("teapot", [])


def test_readiness_is_apart_from_health(machine: Machine) -> None:
    readiness = HealthCheck(type="http", endpoint="/ready", interval=1)
    workload = machine.workload("unready", readiness=readiness, environment={"ANSWER": "503"})
    machine.runtime.apply(workload)
    guid = workload.instances[0].guid
    seen = wait_until(lambda: (now := machine.seen(guid)) and now.state == "running" and now, "it to be healthy")
    time.sleep(2)
    seen = machine.seen(guid)
    assert seen and seen.state == "running" and not seen.ready and seen.crashes == 0
    machine.runtime.prune("unready", [])


def test_crashes_while_the_agent_is_away_are_told_when_it_is_back(fresh: Machine) -> None:
    seen = fresh.run(fresh.workload("away"))
    fresh.stop_agent(number=signal.SIGKILL)
    ask(seen, "/exit/9")
    wait_until(lambda: state(fresh, seen.instance)[0] == "running", "the engine to start it again")
    fresh.start_agent()
    told = happened(fresh, "away")
    assert [(each.exit.status, each.exit.last_lines[-1]) for each in told] == [(9, "going down")]
    again = wait_until(lambda: (now := fresh.seen(seen.instance)) and now.ready and now, "it to be ready")
    assert again.crashes == 1
    fresh.stop_agent()
    fresh.start_agent()
    assert len(happened(fresh, "away")) == 1


def test_a_restart_of_the_agent_changes_nothing_about_what_is_ready(fresh: Machine) -> None:
    seen = fresh.run(fresh.workload("steady"))
    fresh.stop_agent(number=signal.SIGKILL)
    fresh.start_agent()
    again = fresh.seen(seen.instance)
    assert again and again.ready and (again.since, again.crashes) == (seen.since, 0)


def test_pruning_goes_on_after_the_agent_was_killed(fresh: Machine) -> None:
    workload = fresh.workload("stubborn", command="trap '' TERM; echo deaf; while :; do sleep 1; done", health=ALIVE)
    seen = fresh.run(workload)
    wait_until(lambda: "deaf" in fresh.texts("stubborn"), "it to be deaf")
    with suppress(Exception):
        fresh.runtime.cell._ask("POST", "/apps/stubborn/prune", body={"keep": [], "grace": 5}, timeout=1)
    memory = fresh.folder / "cell/memory.json"
    wait_until(lambda: json.loads(memory.read_text())["ending"], "it to be noted")
    fresh.stop_agent(number=signal.SIGKILL)
    fresh.start_agent()
    wait_until(lambda: fresh.seen(seen.instance) is None, "it to be gone")
    wait_until(lambda: not list((fresh.folder / "disks").iterdir()), "its disk to be gone")


def test_grace_is_given_and_then_ended(machine: Machine) -> None:
    machine.run(machine.workload("trap", command="trap '' TERM; echo deaf; while :; do sleep 1; done", health=ALIVE))
    wait_until(lambda: "deaf" in machine.texts("trap"), "it to be deaf")
    began = time.monotonic()
    machine.runtime.prune("trap", [], grace=3)
    assert time.monotonic() - began >= 3
    assert machine.runtime.observe(["trap"]) == []


def test_a_worker_that_died_halfway_is_made_good_by_the_next(machine: Machine) -> None:
    workload = machine.workload("half")
    runtime = machine.runtime
    image = runtime.client.inspect_image(runtime.images["debian12"])
    disk = runtime._disk(workload, workload.instances[0], image)
    runtime._container(workload, workload.instances[0], image, disk)
    assert state(machine, workload.instances[0].guid)[0] == "created"
    machine.run(workload)
    machine.runtime.prune("half", [])


def test_a_disk_without_its_container_is_pruned(machine: Machine) -> None:
    workload = machine.workload("orphan")
    machine.runtime._disk(workload, workload.instances[0], {})
    machine.runtime.prune("orphan", [])
    assert not (machine.folder / "disks" / workload.instances[0].guid).exists()


def test_after_a_boot_everything_comes_back_with_the_control_plane_down(fresh: Machine) -> None:
    """Without a real boot: agent and containers end, mounts and firewall are gone, and only then the agent starts."""
    seen = fresh.run(fresh.workload("booted"))
    point = fresh.folder / "disks" / seen.instance
    fresh.stop_agent()
    docker("stop", "--time", "1", fresh.container(seen.instance))
    subprocess.run(["umount", str(point)], check=True)
    remove = "iptables -D INPUT -i {0} -j PAAS-{1}-IN && iptables -F PAAS-{1}-IN && iptables -F PAAS-{1}-FROM"
    subprocess.run(remove.format(fresh.config["bridge"], fresh.install), shell=True, check=True)
    start = subprocess.run(["docker", "start", fresh.container(seen.instance)], capture_output=True, check=False)
    assert start.returncode != 0, "without its disk it must not start"
    fresh.start_agent()
    again = fresh.ready(seen.instance)
    assert again.address == seen.address and point.is_mount()
    listed = subprocess.run(
        ["iptables", "-S", f"PAAS-{fresh.install}-FROM"], capture_output=True, text=True, check=True
    )
    assert "169.254.0.0/16 -j REJECT" in listed.stdout
