"""Lines on their way from the engine's files into the log, with rotations, restarts and full disks in between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paas.cell.collector import Collector
from paas.cell.logs import Logs

ID = "c0ffee" * 10 + "c0ff"
PIECE = 16384


class Writer:
    """Writes as the engine's json-file driver does: pieces of 16 KB, rotation with three files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ID
        self.path = self.folder / f"{ID}-json.log"
        self.folder.mkdir()
        self.path.touch()
        self.clock = 1_700_000_000 * 10**9

    def write(self, text: str, stream: str = "stdout", *, ended: bool = True) -> None:
        text = text + "\n" if ended else text
        pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
        with self.path.open("a") as file:
            for piece in pieces:
                self.clock += 1000
                moment = datetime.fromtimestamp(self.clock // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
                time = f"{moment}.{self.clock % 10**9:09d}".rstrip("0") + "Z"
                file.write(json.dumps({"log": piece, "stream": stream, "time": time}) + "\n")

    def rotate(self) -> None:
        for old, new in ((".1", ".2"), ("", ".1")):
            source = self.path.with_name(self.path.name + old)
            if source.exists():
                source.replace(self.path.with_name(self.path.name + new))
        self.path.touch()


class Setup:
    def __init__(self, folder: Path, *, rate: int = -1) -> None:
        self.folder, self.rate = folder, rate
        (folder / "containers").mkdir(parents=True)
        self.writer = Writer(folder / "containers")
        self.open()

    def open(self) -> None:
        """Begin as a new agent does."""
        self.logs = Logs(self.folder / "logs", max_bytes=64 << 20, max_age=10**9)
        self.collector = Collector(self.logs, self.folder / "offsets.json", None)
        labels = {
            "paas.app": "app",
            "paas.log_source": "APP/PROC/WEB",
            "paas.index": "0",
            "paas.log_rate": str(self.rate),
        }
        self.collector.follow(ID, self.writer.path, labels)

    def carry(self) -> None:
        feed = self.collector.feeds[ID]
        while self.collector._pass() or not (feed.idle or self.collector.problem):
            pass

    def lines(self) -> list[tuple[str, str]]:
        """Return (stream, text) of all lines."""
        found = self.logs.journal("app").read(start=0, end=None, limit=10**6)
        return [(line[3].decode(), line[4].decode()) for line in found]

    def texts(self) -> list[str]:
        return [text for _, text in self.lines()]


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    yield Setup(tmp_path)


def test_lines_arrive_with_their_stream_and_time(setup: Setup) -> None:
    setup.writer.write("one")
    setup.writer.write("two", "stderr")
    setup.carry()
    assert setup.lines() == [("O", "one"), ("E", "two")]
    line = setup.logs.journal("app").read(start=0, end=None, limit=1)[0]
    assert int(line[0]) == 1_700_000_000 * 10**9 + 1000


@pytest.mark.parametrize("size", [16383, 16384, 16385, 1 << 20])
def test_a_long_line_stays_one(setup: Setup, size: int) -> None:
    setup.writer.write("x" * size)
    setup.writer.write("after")
    setup.carry()
    assert setup.texts() == ["x" * size, "after"]


def test_long_lines_of_two_streams_do_not_mix(setup: Setup) -> None:
    for letter, stream in (("a", "stdout"), ("b", "stderr"), ("a", "stdout"), ("b", "stderr")):
        setup.writer.write(letter * 20_000, stream, ended=False)
    setup.writer.write("", "stderr")
    setup.writer.write("", "stdout")
    setup.carry()
    assert sorted(setup.lines()) == [("E", "b" * 40_000), ("O", "a" * 40_000)]


def test_a_line_of_more_than_two_megabytes_is_cut_and_nothing_of_it_is_lost(setup: Setup) -> None:
    setup.writer.write("x" * (5 << 20))
    setup.carry()
    assert "".join(setup.texts()) == "x" * (5 << 20)
    assert len(setup.texts()) == 3


def test_half_a_record_waits_for_its_other_half(setup: Setup) -> None:
    setup.writer.write("whole")
    text = setup.writer.path.read_text()
    setup.writer.path.write_text(text[:20])
    setup.carry()
    assert setup.texts() == []
    with setup.writer.path.open("a") as file:
        file.write(text[20:])
    setup.carry()
    assert setup.texts() == ["whole"]


def test_an_unfinished_line_is_closed_when_its_process_ends(setup: Setup) -> None:
    setup.writer.write("no end", ended=False)
    setup.carry()
    assert setup.texts() == []
    setup.collector.ended(ID, setup.writer.clock + 1)
    setup.carry()
    setup.writer.clock += 10**9
    setup.writer.write("the next start")
    setup.carry()
    assert setup.texts() == ["no end", "the next start"]


def test_an_unfinished_line_does_not_run_into_the_next_start(setup: Setup) -> None:
    setup.writer.write("no end", ended=False)
    setup.collector.ended(ID, setup.writer.clock + 1)
    setup.writer.clock += 10**9
    setup.writer.write("the next start")
    setup.carry()
    assert setup.texts() == ["no end", "the next start"]


def test_a_torn_record_costs_only_itself(setup: Setup) -> None:
    setup.writer.write("before")
    with setup.writer.path.open("a") as file:
        file.write('{"log":"torn\n')
    setup.writer.write("after")
    setup.carry()
    assert setup.texts() == ["before", "after"]


def test_rotations_while_reading_lose_nothing(setup: Setup) -> None:
    for number in range(500):
        setup.writer.write(str(number))
        if number % 7 == 0:
            setup.writer.rotate()
        if number % 5 == 0:
            setup.carry()
    setup.carry()
    assert setup.texts() == [str(number) for number in range(500)]


def test_what_was_rotated_while_the_agent_was_away_is_read_on(setup: Setup) -> None:
    setup.writer.write("one")
    setup.carry()
    setup.collector.save()
    setup.writer.write("two")
    setup.writer.rotate()
    setup.writer.write("three")
    setup.writer.rotate()
    setup.writer.write("four")
    setup.open()
    setup.carry()
    assert setup.texts() == ["one", "two", "three", "four"]


def test_a_reused_inode_does_not_hide_lines(setup: Setup) -> None:
    setup.writer.write("first file")
    setup.carry()
    setup.collector.save()
    setup.collector.feeds[ID].tail.close()
    inode = setup.writer.path.stat().st_ino
    content = setup.writer.path.stat().st_size
    with setup.writer.path.open("r+") as file:  # the same inode, as if removed and given out again
        file.truncate(0)
    setup.writer.clock += 10**9
    setup.writer.write("other file, longer than the first")
    assert setup.writer.path.stat().st_ino == inode and setup.writer.path.stat().st_size > content
    setup.open()
    setup.carry()
    assert setup.texts() == ["first file", "other file, longer than the first"]


WRITES = st.tuples(st.sampled_from(["stdout", "stderr"]), st.sampled_from([1, 30, 16384, 40_000]), st.booleans())
STEPS = st.lists(st.one_of(WRITES, st.sampled_from(["carry", "rotate", "save", "kill"])), max_size=40)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
@example(
    [("stdout", 1, False), "rotate", ("stdout", 1, False), ("stderr", 1, True), "carry", "kill", ("stdout", 1, True)]
)
def test_no_order_of_events_loses_or_repeats_a_line(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    setup = Setup(tmp_path_factory.mktemp("setup"))
    expected: dict[str, list[str]] = {"O": [], "E": []}
    open_line = {"stdout": "", "stderr": ""}
    rotations = 0
    for number, step in enumerate(steps):
        if step == "rotate":
            if rotations < 2:  # beyond the files that are kept, what was not read is lost to everyone
                setup.writer.rotate()
                rotations += 1
        elif step == "carry":
            setup.carry()
            rotations = 0 if not any(open_line.values()) else rotations
        elif step == "save":
            setup.collector.save()
        elif step == "kill":
            setup.open()
        else:
            stream, size, ended = step
            text = f"{number}." + "x" * size
            setup.writer.write(text, stream, ended=ended)
            open_line[stream] += text
            if ended:
                expected["O" if stream == "stdout" else "E"].append(open_line[stream])
                open_line[stream] = ""
    setup.carry()
    for stream, texts in expected.items():
        assert [text for kind, text in setup.lines() if kind == stream] == texts


def test_a_full_disk_delays_lines_and_loses_none(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    setup.writer.write("before")
    setup.carry()
    setup.writer.write("y" * 50_000)
    setup.writer.write("kept back")
    real = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        if len(data) > 100:
            return real(file, data[:100], offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    setup.carry()
    assert setup.texts() == ["before"]
    assert "cannot be written" in setup.collector.problem
    monkeypatch.setattr(os, "pwrite", real)
    setup.carry()
    assert setup.texts() == ["before", "y" * 50_000, "kept back"]
    assert setup.collector.problem == ""


def test_the_rate_limit_drops_and_says_how_much(tmp_path: Path) -> None:
    setup = Setup(tmp_path, rate=1024)
    for _ in range(100):
        setup.writer.write("x" * 100)
    setup.writer.clock += 2 * 10**9
    setup.writer.write("after")
    setup.carry()
    texts = setup.texts()
    told = [text for text in texts if text.startswith("app instance exceeded log rate limit (1024 bytes/sec)")]
    kept = sum(text == "x" * 100 for text in texts)
    assert len(told) == 1 and f"{100 - kept} lines" in told[0]
    assert 10 <= kept <= 12 and texts[-1] == "after"
    kinds = {line[1] for line in setup.logs.journal("app").read(start=0, end=None, limit=1000)}
    assert kinds == {b"APP/PROC/WEB", b"LGR"}


def test_below_the_rate_limit_nothing_is_dropped(tmp_path: Path) -> None:
    setup = Setup(tmp_path, rate=1024)
    for _ in range(100):
        setup.writer.write("x" * 100)
        setup.writer.clock += 10**8
    setup.carry()
    assert setup.texts() == ["x" * 100] * 100
