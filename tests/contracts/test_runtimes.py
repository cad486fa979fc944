"""What every runtime does, whatever it runs things on."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from paas.lib.errors import InsufficientResources
from paas.seams.runtimes.base import (
    HealthCheck,
    LogLine,
    Observation,
    Placement,
    Runtime,
    StackDroplet,
    Store,
    Volume,
    Workload,
)
from paas.seams.runtimes.fake import FakeRuntime
from tests.cell.machine import Machine, wait_until

pytestmark = pytest.mark.slow


class Kind:
    """A runtime, and how to make something happen on it."""

    runtime: Runtime

    def workload(self, app: str, *, count: int = 1, **fields: Any) -> Workload:
        raise NotImplementedError

    def small(self) -> Runtime:
        """Return a runtime with room for 100 MB in all."""
        raise NotImplementedError

    def crash(self, seen: Observation, status: int) -> None:
        raise NotImplementedError

    def task(self, app: str, text: str, status: int) -> Workload:
        """Return a task that prints a text and ends; ``let_end`` lets it."""
        raise NotImplementedError

    def let_end(self, workload: Workload, text: str, status: int) -> None:
        raise NotImplementedError

    def seen(self, instance: str) -> Observation | None:
        return next((each for each in self.runtime.observe() if each.instance == instance), None)

    def ready(self, instance: str) -> Observation:
        found = wait_until(lambda: (seen := self.seen(instance)) and seen.ready and seen, f"{instance} to be ready")
        assert isinstance(found, Observation)
        return found

    def run(self, workload: Workload) -> Observation:
        self.runtime.apply(workload)
        return self.ready(workload.instances[0].guid)


class Docker(Kind):
    def __init__(self, machine: Machine) -> None:
        self.machine, self.runtime = machine, machine.runtime

    def workload(self, app: str, *, count: int = 1, **fields: Any) -> Workload:
        return self.machine.workload(app, count=count, **fields)

    def small(self) -> Runtime:
        return self.machine.runtime_with(100)

    def crash(self, seen: Observation, status: int) -> None:
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://{seen.address}:8080/exit/{status}", timeout=10)

    def task(self, app: str, text: str, status: int) -> Workload:
        return self.machine.task(app, f"echo {text}; exit {status}")

    def let_end(self, workload: Workload, text: str, status: int) -> None:
        """It does so by itself."""


class Fake(Kind):
    def __init__(self) -> None:
        self.fake = self.runtime = FakeRuntime()

    def workload(self, app: str, *, count: int = 1, **fields: Any) -> Workload:
        placements = tuple(Placement(f"{app}-{index}", index, f"10.0.0.{index}") for index in range(count))
        workload = Workload(
            app=app,
            app_name=app,
            process_type="web",
            revision="revision-1",
            log_source="APP/PROC/WEB",
            source=StackDroplet("debian12", "droplets/d", "0" * 64),
            command="",
            environment={},
            instances=placements,
            memory_mb=64,
            disk_mb=32,
        )
        workload = replace(workload, **fields)
        if workload.health.port == NOBODY.port:
            self.fake.fail(app)
        return workload

    def small(self) -> Runtime:
        return FakeRuntime(memory_mb=100)

    def crash(self, seen: Observation, status: int) -> None:
        self.fake.crash(seen.instance, status=status, lines=["going down"])
        self.fake.recover(seen.instance)

    def task(self, app: str, text: str, status: int) -> Workload:
        return self.workload(app, process_type="task", log_source="APP/TASK/work", one_off=True)

    def let_end(self, workload: Workload, text: str, status: int) -> None:
        self.fake.finish(workload.instances[0].guid, status=status, lines=[text])


NOBODY = HealthCheck(port=9, timeout=600)


@pytest.fixture(scope="module", params=["fake", "docker"])
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    if request.param == "fake":
        yield Fake()
        return
    machine = Machine(tmp_path_factory.mktemp("machine"))
    try:
        machine.start_agent()
        yield Docker(machine)
    finally:
        machine.close()


@pytest.fixture
def app(kind: Kind) -> Iterator[str]:
    """A new app's guid; its instances are ended after the test."""
    guid = str(uuid4())
    yield guid
    kind.runtime.prune(guid, [], grace=1)


def test_an_applied_instance_becomes_ready(kind: Kind, app: str) -> None:
    workload = kind.workload(app)
    seen = kind.run(workload)
    placement = workload.instances[0]
    assert (seen.app, seen.process_type, seen.revision) == (app, "web", "revision-1")
    assert (seen.index, seen.address, seen.state) == (0, placement.address, "running")
    assert seen.crashes == 0 and seen.exit is None


def test_applying_again_leaves_instances_alone(kind: Kind, app: str) -> None:
    workload = kind.workload(app, count=2)
    before = kind.run(workload)
    kind.runtime.apply(workload)
    assert kind.ready(before.instance).since == before.since
    assert len(kind.runtime.observe([app])) == 2


def test_one_more_instance_is_put_beside_the_others(kind: Kind, app: str) -> None:
    workload = kind.workload(app)
    kind.run(workload)
    more = kind.workload(app, count=2)
    kind.run(replace(more, instances=(*workload.instances, more.instances[1])))
    assert {each.index for each in kind.runtime.observe([app])} == {0, 1}


def test_an_instance_that_does_not_answer_is_not_ready(kind: Kind, app: str) -> None:
    workload = kind.workload(app, health=NOBODY)
    kind.runtime.apply(workload)
    seen = wait_until(lambda: kind.seen(workload.instances[0].guid), "the instance to be seen")
    assert seen.state == "starting" and not seen.ready


def test_a_pruned_instance_is_gone(kind: Kind, app: str) -> None:
    kind.run(kind.workload(app))
    kind.runtime.prune(app, [], grace=5)
    assert kind.runtime.observe([app]) == []


def test_pruning_keeps_what_it_is_told_to_keep(kind: Kind, app: str) -> None:
    workload = kind.workload(app, count=2)
    kind.run(workload)
    kept = kind.ready(workload.instances[1].guid)
    kind.runtime.prune(app, [kept.instance], grace=5)
    assert [(each.instance, each.since) for each in kind.runtime.observe([app])] == [(kept.instance, kept.since)]


def test_pruning_touches_no_other_app(kind: Kind, app: str) -> None:
    seen = kind.run(kind.workload(app))
    kind.runtime.prune(str(uuid4()), [])
    assert kind.ready(seen.instance).since == seen.since


def test_pruning_twice_is_harmless(kind: Kind, app: str) -> None:
    kind.run(kind.workload(app))
    kind.runtime.prune(app, [], grace=5)
    kind.runtime.prune(app, [], grace=5)
    assert kind.runtime.observe([app]) == []


def test_observing_is_limited_to_the_apps_asked_for(kind: Kind, app: str) -> None:
    kind.run(kind.workload(app))
    assert kind.runtime.observe([]) == []
    assert kind.runtime.observe([str(uuid4())]) == []
    assert app in {each.app for each in kind.runtime.observe()}


def test_a_crashed_instance_comes_back_and_the_crash_is_told(kind: Kind, app: str) -> None:
    seen = kind.run(kind.workload(app))
    before = max((each.number for each in kind.runtime.happenings(0)), default=0)
    kind.crash(seen, 7)
    told = wait_until(lambda: kind.runtime.happenings(before), "the crash to be told")[0]
    assert (told.kind, told.instance, told.app, told.index) == ("exited", seen.instance, app, 0)
    assert (told.exit.status, told.exit.reason) == (7, "exited")
    assert told.exit.last_lines[-1] == "going down"
    again = wait_until(lambda: (now := kind.seen(seen.instance)) and now.ready and now.crashes and now, "its return")
    assert again.crashes == 1 and again.exit == told.exit and again.address == seen.address
    assert again.since > seen.since


def test_happenings_after_the_last_are_none(kind: Kind, app: str) -> None:
    kind.crash(kind.run(kind.workload(app)), 3)
    told = wait_until(lambda: [each for each in kind.runtime.happenings(0) if each.app == app], "the crash to be told")
    assert [each for each in kind.runtime.happenings(told[-1].number) if each.app == app] == []
    numbers = [each.number for each in kind.runtime.happenings(0)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("status", [0, 4])
def test_a_task_ends_and_is_not_started_again(kind: Kind, app: str, status: int) -> None:
    workload = kind.task(app, "done", status)
    guid = workload.instances[0].guid
    kind.runtime.apply(workload)
    kind.let_end(workload, "done", status)
    seen = wait_until(lambda: (now := kind.seen(guid)) and now.state == "stopped" and now.exit and now, "its end")
    assert (seen.exit.status, seen.exit.reason, seen.ready) == (status, "exited", False)
    kind.runtime.apply(workload)
    again = kind.seen(guid)
    assert again and (again.state, again.exit) == ("stopped", seen.exit)
    assert [line.text for line in kind.runtime.read_log(app, source_types=["APP/TASK/work"])].count("done") == 1


def test_beyond_the_capacity_a_start_is_refused(kind: Kind, app: str) -> None:
    runtime = kind.small()
    with pytest.raises(InsufficientResources):
        runtime.apply(kind.workload(app, count=2))
    assert runtime.observe([app]) == []


def test_what_has_a_volume_or_a_store_is_told_until_it_is_forgotten(kind: Kind, app: str) -> None:
    store = Store(f"{app}-store", "/store", 32)
    kind.runtime.apply(kind.workload(app, volume=Volume(app, "/data", 32), stores=(store,)))
    kind.runtime.prune(app, [], grace=1)
    assert {app, store.name} <= kind.runtime.kept()
    for source in (app, store.name, store.name):
        kind.runtime.forget(source)
    assert not {app, store.name} & kind.runtime.kept()


def test_the_log_outlives_the_instance(kind: Kind, app: str) -> None:
    kind.crash(kind.run(kind.workload(app)), 1)
    wait_until(lambda: "going down" in _texts(kind, app), "the line")
    kind.runtime.prune(app, [], grace=5)
    assert "going down" in _texts(kind, app)


def test_lines_written_are_read_in_their_order(kind: Kind, app: str) -> None:
    kind.runtime.write_log(app, [_line(str(number)) for number in range(300)])
    lines = kind.runtime.read_log(app, limit=1000)
    assert [line.text for line in lines] == [str(number) for number in range(300)]
    times = [line.at for line in lines]
    assert times == sorted(set(times))
    assert lines[0] == LogLine(lines[0].at, "STG", "0", "OUT", "0")


def test_a_log_is_read_by_cursor_in_both_directions(kind: Kind, app: str) -> None:
    kind.runtime.write_log(app, [_line(str(number)) for number in range(50)])
    lines = kind.runtime.read_log(app)
    middle = lines[20].at
    assert [line.text for line in kind.runtime.read_log(app, start=middle, limit=3)] == ["20", "21", "22"]
    assert [line.text for line in kind.runtime.read_log(app, limit=2, descending=True)] == ["49", "48"]
    assert [line.text for line in kind.runtime.read_log(app, end=middle, limit=2, descending=True)] == ["19", "18"]
    assert kind.runtime.read_log(app, start=lines[-1].at + 1) == []
    assert kind.runtime.read_log(app, start=-(2**62), limit=1)[0].text == "0"


def test_a_log_is_filtered_by_source_type_and_instance(kind: Kind, app: str) -> None:
    kind.runtime.write_log(
        app, [_line("build"), LogLine(0, "API", "0", "OUT", "event"), LogLine(0, "RTR", "1", "ERR", "x")]
    )
    assert [line.text for line in kind.runtime.read_log(app, source_types=["STG", "API"])] == ["build", "event"]
    assert [(line.stream, line.text) for line in kind.runtime.read_log(app, instance="1")] == [("ERR", "x")]


def test_a_time_given_is_kept_unless_the_log_is_beyond_it(kind: Kind, app: str) -> None:
    kind.runtime.write_log(app, [LogLine(10**18, "API", "0", "OUT", "old")])
    kind.runtime.write_log(app, [_line("new"), LogLine(10**18, "API", "0", "OUT", "late")])
    lines = kind.runtime.read_log(app)
    assert [line.text for line in lines] == ["old", "new", "late"]
    assert lines[0].at == 10**18


def test_a_text_of_several_lines_becomes_several(kind: Kind, app: str) -> None:
    kind.runtime.write_log(app, [_line("one\ntwo\ttabbed\n\nfour: ü€😀")])
    assert _texts(kind, app) == ["one", "two\ttabbed", "", "four: ü€😀"]


def test_a_forgotten_log_is_empty_and_can_begin_anew(kind: Kind, app: str) -> None:
    kind.runtime.write_log(app, [_line("before")])
    kind.runtime.forget(app)
    kind.runtime.forget(app)
    assert kind.runtime.read_log(app) == []
    kind.runtime.write_log(app, [_line("after")])
    assert _texts(kind, app) == ["after"]


def test_logs_of_two_sources_are_apart(kind: Kind, app: str) -> None:
    other = str(uuid4())
    kind.runtime.write_log(app, [_line("mine")])
    kind.runtime.write_log(other, [_line("theirs")])
    assert _texts(kind, app) == ["mine"]
    kind.runtime.forget(other)


def _line(text: str) -> LogLine:
    return LogLine(0, "STG", "0", "OUT", text)


def _texts(kind: Kind, app: str) -> list[str]:
    return [line.text for line in kind.runtime.read_log(app, limit=1000)]
