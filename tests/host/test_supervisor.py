"""Processes that die are started again, their lines are kept, and all end when we are told to."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paas.host.settings import CHECKOUT
from paas.host.supervisor import LOG_BYTES, Log, Process

SCRIPT = """
import os, sys
from pathlib import Path
from paas.host.shell import HostError
from paas.host.supervisor import Log, Process, Supervisor, wait_for

folder = Path(sys.argv[1])
def shell(name, text):
    return Process(name, ["sh", "-c", text], dict(os.environ))
def then(supervisor):
    {then}
supervisor = Supervisor([{processes}], Log(folder / "platform.log"))
try:
    supervisor.run(lambda: then(supervisor))
except HostError as error:
    sys.exit(f"refused: {{error}}")
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that supervises in a process of its own, since it takes the signals."""
    started: list[subprocess.Popen[str]] = []

    def begin(processes: str, then: str = "pass") -> subprocess.Popen[str]:
        text = textwrap.dedent(SCRIPT).format(processes=processes, then=then)
        command = [sys.executable, "-c", text, str(tmp_path)]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def wait_until(done: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)


def log_of(folder: Path) -> str:
    file = folder / "platform.log"
    return file.read_text() if file.exists() else ""


def test_one_that_dies_is_started_again_and_its_lines_are_kept(tmp_path: Path, start: Callable):
    start("shell('brief', 'echo here I am; printf unfinished; exit 3')")
    wait_until(lambda: log_of(tmp_path).count("   brief | here I am") >= 2)
    assert "brief | unfinished" in log_of(tmp_path)
    assert "brief ended with status 3" in log_of(tmp_path)


def test_all_end_when_we_are_told_to(tmp_path: Path, start: Callable):
    running = start("shell('one', 'echo $$; exec sleep 600'), shell('two', 'echo $$; exec sleep 600')")
    wait_until(lambda: log_of(tmp_path).count("|") == 2)
    pids = [int(line.split("|")[1]) for line in log_of(tmp_path).splitlines()]
    running.terminate()
    assert running.wait(30) == 0
    assert not [pid for pid in pids if Path("/proc", str(pid)).exists()]


def test_none_is_left_behind_when_we_are_killed(tmp_path: Path, start: Callable):
    running = start("shell('one', 'echo $$; exec sleep 600')")
    wait_until(lambda: "|" in log_of(tmp_path))
    pid = log_of(tmp_path).split("|")[1].strip()
    running.kill()
    wait_until(lambda: not Path("/proc", pid).exists())


def test_one_that_will_not_end_is_killed(tmp_path: Path, start: Callable):
    stubborn = "shell('stubborn', 'trap : TERM; echo $$; while :; do sleep 0.2; done')"
    running = start(stubborn)
    wait_until(lambda: "|" in log_of(tmp_path))
    running.terminate()
    time.sleep(0.3)
    running.terminate()  # a second Ctrl-C does not wait
    assert running.wait(60) == 0


def test_one_that_cannot_run_at_all_stops_the_start_with_its_last_lines(start: Callable):
    waiting = "wait_for(supervisor, lambda: False, 'The console', seconds=60)"
    running = start("shell('web', 'echo no such module; exit 1')", waiting)
    assert running.wait(60) == 1
    said = running.stderr.read()
    assert "The process web cannot run" in said and "no such module" in said


def test_waits_grow_for_one_that_keeps_dying_and_end_at_half_a_minute():
    process = Process("web", ["true"], dict(os.environ))
    process.started = time.monotonic()
    waits = [process.ended(1) for _ in range(10)]
    assert waits == sorted(waits) and waits[0] == 1 and waits[-1] == 30


def test_the_log_stays_within_its_bounds(tmp_path: Path):
    log = Log(tmp_path / "platform.log")
    line = "x" * 1_000_000
    for _ in range(LOG_BYTES // 1_000_000 * 3):
        log.write("web", line)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < LOG_BYTES * 2.2
