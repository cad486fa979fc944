"""The log store: times, cursors, bounds, and batches that a crash cut off."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paas.cell.journal import Journal
from paas.cell.logs import Logs, entry


def journal(folder: Path, max_bytes: int = 1 << 20) -> Journal:
    return Journal(folder, max_bytes=max_bytes)


def fill(log: Journal, count: int, *, size: int = 10, batch: int = 7) -> None:
    for first in range(0, count, batch):
        numbers = range(first, min(first + batch, count))
        log.append([entry(0, "APP", str(number % 3), "OUT", f"{number} " + "x" * size) for number in numbers], b"a=1")


def numbers(lines: list[list[bytes]]) -> list[int]:
    return [int(line[4].split(b" ")[0]) for line in lines]


def everything(log: Journal) -> list[list[bytes]]:
    return log.read(start=0, end=None, limit=10**6)


def test_a_cursor_walks_over_segments_without_loss_or_repetition(tmp_path: Path) -> None:
    log = journal(tmp_path / "log", 1 << 22)
    fill(log, 3000, size=500)
    assert len(log.segments) > 1
    found, start = [], 0
    while lines := log.read(start=start, end=None, limit=97):
        found += numbers(lines)
        start = int(lines[-1][0]) + 1
    assert found == list(range(3000))


def test_descending_reads_give_the_newest_first_over_segments(tmp_path: Path) -> None:
    log = journal(tmp_path / "log", 1 << 22)
    fill(log, 3000, size=500)
    found, end = [], None
    while lines := log.read(start=0, end=end, limit=97, descending=True):
        found += numbers(lines)
        end = int(lines[-1][0])
    assert found == list(range(2999, -1, -1))


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 400), min_size=1, max_size=60), data=st.data())
def test_any_range_is_found_exactly(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    log = journal(tmp_path_factory.mktemp("log"))
    for number, size in enumerate(sizes):
        log.append([entry(1000 + number * 10, "APP", "0", "OUT", f"{number} " + "#\t" * size)])
    times = [int(line[0]) for line in everything(log)]
    assert len(times) == len(sizes)
    low = data.draw(st.integers(900, 1000 + len(sizes) * 10 + 50))
    high = data.draw(st.integers(900, 1000 + len(sizes) * 10 + 50))
    expected = [number for number, at in enumerate(times) if low <= at < high]
    assert numbers(log.read(start=low, end=high, limit=1000)) == expected
    assert numbers(log.read(start=low, end=high, limit=1000, descending=True)) == expected[::-1]


def test_times_grow_even_when_the_lines_come_late_or_from_the_future(tmp_path: Path) -> None:
    log = journal(tmp_path / "log")
    future = time.time_ns() + 10**12
    log.append([entry(at, "APP", "0", "OUT", "line") for at in (5, 5, 3, future, 0, 7)])
    times = [int(line[0]) for line in everything(log)]
    assert times == sorted(set(times))
    assert times[0] == 5 and times[-1] <= time.time_ns() + 10


@pytest.mark.parametrize("cut", [1, 5, 20, 60])
def test_a_batch_that_was_cut_off_is_taken_back_whole(tmp_path: Path, cut: int) -> None:
    log = journal(tmp_path / "log")
    fill(log, 7)
    whole = log.end()[1]
    log.append([entry(0, "APP", "0", "OUT", "7 " + "x" * 50)], b"a=2")
    path = tmp_path / "log" / log.end()[0]
    os.truncate(path, path.stat().st_size - cut)
    again = journal(tmp_path / "log")
    assert numbers(everything(again)) == list(range(7))
    assert list(again.marks()) == [b"a=1"]
    assert again.end()[1] == whole
    fill(again, 7)
    assert numbers(everything(again)) == list(range(7)) * 2


def test_zeros_that_a_power_cut_left_are_taken_back(tmp_path: Path) -> None:
    log = journal(tmp_path / "log")
    fill(log, 7)
    with (tmp_path / "log" / log.end()[0]).open("ab") as file:
        file.write(b"\0" * 5000)
    again = journal(tmp_path / "log")
    assert numbers(everything(again)) == list(range(7))
    assert again.last == int(everything(again)[-1][0])


def test_marks_are_read_from_where_they_were_noted(tmp_path: Path) -> None:
    log = journal(tmp_path / "log")
    log.append([entry(0, "APP", "0", "OUT", "x")], b"a=1")
    name, size = log.end()
    log.append([entry(0, "APP", "0", "OUT", "x")], b"a=2")
    log.append([entry(0, "API", "0", "OUT", "x")])
    again = journal(tmp_path / "log")
    assert list(again.marks(after=name, offset=size)) == [b"a=2"]
    assert list(again.marks()) == [b"a=1", b"a=2"]


def test_the_oldest_lines_go_when_the_log_is_full(tmp_path: Path) -> None:
    log = journal(tmp_path / "log", 1 << 20)
    fill(log, 20_000, size=100, batch=100)
    assert sum(segment.size for segment in log.segments) <= 1 << 20
    kept = numbers(everything(log))
    assert kept[-1] == 19_999 and kept == list(range(kept[0], 20_000)) and len(kept) > 5000
    assert len(list((tmp_path / "log").iterdir())) == len(log.segments)


def test_lines_beyond_their_age_go(tmp_path: Path) -> None:
    logs = Logs(tmp_path, max_bytes=1 << 20, max_age=3600)
    logs.say("old", "APP", "0", "gone")
    logs.say("new", "APP", "0", "kept")
    segment = logs.journal("old").segments[0]
    os.utime(segment.path, (time.time() - 7200,) * 2)
    logs.trim()
    assert everything(logs.journal("old")) == []
    assert len(everything(logs.journal("new"))) == 1
    logs.say("old", "APP", "0", "again")
    assert len(everything(logs.journal("old"))) == 1


def test_polling_a_big_log_for_news_reads_next_to_nothing(tmp_path: Path) -> None:
    log = journal(tmp_path / "log", 64 << 20)
    fill(log, 100_000, size=100, batch=1000)
    started = time.process_time()
    for _ in range(1000):
        assert log.read(start=log.last + 1, end=None, limit=100) == []
        assert len(log.read(start=log.last - 10**6, end=None, limit=100)) > 0
    # A thousand scans of 12 MB would take more than ten seconds.
    assert time.process_time() - started < 2


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "a" * 101, "a\n"])
def test_a_name_that_is_no_log_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        Logs(tmp_path, max_bytes=1 << 20, max_age=60).journal(name)
