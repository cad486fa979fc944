"""The spool of happenings: numbers that only grow, whatever happens to the file."""

from __future__ import annotations

import time
from pathlib import Path

from paas.cell.happenings import AT_ONCE, Happenings

DAY = 86400 * 10**9


def add(spool: Happenings, count: int, *, age: int = 0) -> None:
    for number in range(count):
        spool.add({"at": time.time_ns() - age, "instance": str(number)})


def test_numbers_grow_over_restarts_and_a_lost_file(tmp_path: Path) -> None:
    path = tmp_path / "happenings"
    add(Happenings(path), 3)
    first = [each["number"] for each in Happenings(path).after(0)]
    again = Happenings(path)
    add(again, 1)
    assert again.after(first[-1])[0]["number"] > first[-1]
    path.unlink()
    lost = Happenings(path)
    time.sleep(0.01)
    add(lost, 1)
    assert lost.after(first[-1])


def test_pages_follow_each_other(tmp_path: Path) -> None:
    spool = Happenings(tmp_path / "happenings")
    add(spool, AT_ONCE + 10)
    first = spool.after(0)
    rest = spool.after(first[-1]["number"])
    assert [each["instance"] for each in first + rest] == [str(number) for number in range(AT_ONCE + 10)]
    assert spool.after(rest[-1]["number"]) == []


def test_a_day_is_kept_and_older_ones_go_but_the_last(tmp_path: Path) -> None:
    spool = Happenings(tmp_path / "happenings")
    add(spool, 3, age=3 * DAY)
    add(spool, 2, age=DAY)
    spool.trim()
    assert len(spool.after(0)) == 2
    old = Happenings(tmp_path / "old")
    add(old, 3, age=3 * DAY)
    last = old.after(0)[-1]["number"]
    old.trim()
    assert [each["number"] for each in old.after(0)] == [last]
    add(old, 1)
    assert old.after(last)[0]["number"] > last


def test_a_torn_line_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "happenings"
    add(Happenings(path), 2)
    with path.open("ab") as file:
        file.write(b'{"at": 1, "numb')
    spool = Happenings(path)
    assert len(spool.after(0)) == 2
    add(spool, 1)
    assert len(Happenings(path).after(0)) == 3
