"""What real instances write on the real engine arrives whole, in order and soon."""

from __future__ import annotations

import signal
import time

import pytest

from paas.seams.runtimes.base import HealthCheck
from tests.cell.machine import Machine, wait_until

pytestmark = pytest.mark.slow

ALIVE = HealthCheck(type="process")
FAST = "import sys\nfor n in range({count}): print(n, 'x' * {width})\nprint('END', flush=True)\n"
STEADY = """
import sys, time
began, number = time.time(), 0
while number < {count}:
    due = min({count}, int((time.time() - began) * {rate}))
    for number in range(number, due): print(number, "x" * 80)
    number = due
    sys.stdout.flush()
    time.sleep(0.02)
print("END", flush=True)
time.sleep(600)
"""


def run(machine: Machine, app: str, script: str, **fields: object) -> None:
    source = machine.droplet({"app/write.py": script}, "exec python3 write.py")
    machine.runtime.apply(machine.workload(app, source=source, health=ALIVE, **fields))


def task(machine: Machine, app: str, script: str, **fields: object) -> str:
    source = machine.droplet({"app/write.py": script}, "exec python3 write.py")
    workload = machine.task(app, "", source=source, **fields)
    machine.runtime.apply(workload)
    return workload.instances[0].guid


def written(machine: Machine, app: str) -> list[str]:
    """Return what the script printed, without the launcher's own line and the platform's."""
    texts = [text for kind in ("APP/PROC/WEB", "APP/TASK/work") for text in machine.texts(app, source_type=kind)]
    return [text for text in texts if text != "Invoking start command." and not text.startswith("Exit status")]


def ended(machine: Machine, app: str) -> bool:
    lines = machine.runtime.read_log(app, limit=5, descending=True)
    return any(line.text == "END" for line in lines)


def test_ten_thousand_lines_in_a_second_arrive_whole_and_in_order(machine: Machine) -> None:
    run(machine, "rate", STEADY.format(count=50_000, rate=10_000))
    wait_until(lambda: ended(machine, "rate"), "the last line")
    assert written(machine, "rate") == [*(f"{number} {'x' * 80}" for number in range(50_000)), "END"]


def test_lines_as_fast_as_they_can_be_written_survive_rotations(machine: Machine) -> None:
    # Twenty times the engine's file of 10 MB would be beyond what it keeps; this is three.
    guid = task(machine, "fast", FAST.format(count=150_000, width=150))
    machine.ended(guid)
    wait_until(lambda: ended(machine, "fast"), "the last line")
    assert written(machine, "fast") == [*(f"{number} {'x' * 150}" for number in range(150_000)), "END"]


def test_a_line_of_a_megabyte_stays_one(machine: Machine) -> None:
    guid = task(machine, "long", "print('a' * (1 << 20), flush=True)\nprint('short', flush=True)")
    machine.ended(guid)
    wait_until(lambda: "short" in written(machine, "long"), "the line after")
    assert written(machine, "long") == ["a" * (1 << 20), "short"]


def test_binary_output_breaks_no_line_apart(machine: Machine) -> None:
    script = "import sys\nsys.stdout.buffer.write(b'before\\n\\xff\\xfe\\x00\\x01\\x80middle\\tx\\r\\n\\nafter\\n')"
    guid = task(machine, "binary", script)
    machine.ended(guid)
    wait_until(lambda: "after" in written(machine, "binary"), "the last line")
    assert written(machine, "binary") == ["before", "\ufffd\ufffd\x00\x01\ufffdmiddle\tx\r", "", "after"]


def test_a_line_without_an_end_is_kept_when_the_process_ends(machine: Machine) -> None:
    guid = task(machine, "unended", "print('no newline', end='', flush=True)")
    machine.ended(guid)
    wait_until(lambda: "no newline" in written(machine, "unended"), "the line")


def test_lines_of_two_instances_do_not_mix(machine: Machine) -> None:
    run(machine, "two", STEADY.format(count=5000, rate=5000), count=2)
    wait_until(lambda: written(machine, "two").count("END") == 2, "both ends")
    for index in ("0", "1"):
        lines, start = [], 0
        while page := machine.runtime.read_log(
            "two", start=start, limit=1000, instance=index, source_types=["APP/PROC/WEB"]
        ):
            lines += [line.text for line in page]
            start = page[-1].at + 1
        assert lines[1:] == [*(f"{number} {'x' * 80}" for number in range(5000)), "END"]


def test_streams_are_told_apart(machine: Machine) -> None:
    guid = task(machine, "streams", "import sys\nprint('out')\nprint('err', file=sys.stderr)")
    machine.ended(guid)
    lines = {line.text: line.stream for line in machine.runtime.read_log("streams")}
    assert (lines["out"], lines["err"]) == ("OUT", "ERR")


def test_an_agent_that_is_killed_again_and_again_loses_and_repeats_nothing(fresh: Machine) -> None:
    run(fresh, "killed", STEADY.format(count=30_000, rate=3000))
    for _ in range(5):
        time.sleep(1)
        fresh.stop_agent(number=signal.SIGKILL)
        fresh.start_agent()
    wait_until(lambda: ended(fresh, "killed"), "the last line")
    assert written(fresh, "killed") == [*(f"{number} {'x' * 80}" for number in range(30_000)), "END"]


def test_the_rate_limit_of_an_instance_holds_and_is_told(machine: Machine) -> None:
    run(machine, "limited", STEADY.format(count=3000, rate=1000), log_rate=2000)
    wait_until(
        lambda: any("exceeded log rate limit (2000 bytes/sec)" in text for text in machine.texts("limited")),
        "the notice",
    )
    time.sleep(4)
    lines = machine.runtime.read_log("limited", limit=1000, source_types=["APP/PROC/WEB"])
    seconds = (lines[-1].at - lines[0].at) / 10**9
    assert sum(len(line.text) for line in lines) <= 2000 * (seconds + 2)
    told = machine.texts("limited", source_type="LGR")
    dropped = sum(int(text.split(": ")[1].split(" lines")[0]) for text in told)
    assert dropped > 1000 and dropped + len(lines) <= 3002


def test_the_last_words_before_the_end_are_kept(machine: Machine) -> None:
    workload = machine.workload("words")
    machine.run(workload)
    machine.runtime.prune("words", [], grace=10)
    assert "got the signal" in machine.texts("words")


def test_reading_news_every_quarter_of_a_second_costs_little(machine: Machine) -> None:
    """A day's log of an app must not be looked through for each poll of ``cf logs``."""
    run(machine, "polled", STEADY.format(count=100_000, rate=50_000))
    wait_until(lambda: ended(machine, "polled"), "the last line")
    last = machine.runtime.read_log("polled", limit=1, descending=True)[0]
    began = time.monotonic()
    for _ in range(100):
        assert machine.runtime.read_log("polled", start=last.at + 1) == []
    assert time.monotonic() - began < 5
