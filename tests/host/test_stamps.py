"""Steps whose inputs are unchanged are not done again; those that failed are."""

from __future__ import annotations

from pathlib import Path

import pytest

from paas.host import stamps


def test_a_step_is_done_once_for_the_same_inputs(tmp_path: Path):
    done: list[str] = []
    for key in ("one", "one", "two", "two", "one"):
        stamps.make(tmp_path / "stamp", key, lambda key=key: done.append(key))
    assert done == ["one", "two", "one"]


def test_a_step_that_failed_is_done_again(tmp_path: Path):
    stamp = tmp_path / "stamp"
    assert stamps.make(stamp, "one", lambda: None)

    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        stamps.make(stamp, "two", fail)
    assert stamps.make(stamp, "one", lambda: None)  # what "two" left half made is not "one" either


def test_the_digest_follows_contents_and_names(tmp_path: Path):
    seen = set()
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    seen.add(stamps.digest(folder))
    (folder / "a").write_text("1")
    seen.add(stamps.digest(folder))
    (folder / "a").write_text("2")
    seen.add(stamps.digest(folder))
    (folder / "a").rename(folder / "sub" / "a")
    seen.add(stamps.digest(folder))
    seen.add(stamps.digest(folder, "and a text"))
    assert len(seen) == 5
    assert stamps.digest(folder) in seen


def test_the_digest_does_not_know_where_the_folder_lies(tmp_path: Path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("1")
    assert stamps.digest(tmp_path / "here") == stamps.digest(tmp_path / "there")
