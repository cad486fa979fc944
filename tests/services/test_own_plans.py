"""The operator's file of plans, as it becomes a catalogue that fits the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from paas.lib import kinds
from services.brokers.engine import KINDS, offers, plans, room
from services.brokers.engine.base import Size
from tests.cell.machine import ROOT

FILE = ROOT / "services/plans.toml"
ONE = """
[redis]
title = "Redis"
version = "7"
release = "1.0.0"
description = "Keys and values"
about = "In memory"
[redis.plans.tiny]
description = "Little"
memory_mb = 1000
disk_mb = 4000
cpus = 2
connections = 100
monthly_gbp = 5
"""


def test_the_file_of_the_house_is_a_whole_catalogue() -> None:
    for service in plans.read(FILE, scale=100):
        offered = offers.offering(service, kinds.load(KINDS, service.name)(service.more))
        names = [plan.name for plan in offered.plans]
        assert {"tiny", "small", "medium", "large"} <= {name.partition("-")[0] for name in names}
        assert all(plan.metadata["costs"] and plan.metadata["bullets"] for plan in offered.plans)
        assert offered.plan_updateable and offered.bindable


def test_sizes_are_scaled_and_prices_are_not(tmp_path: Path) -> None:
    (tmp_path / "plans.toml").write_text(ONE)
    (whole,), (half,) = (plans.read(tmp_path / "plans.toml", scale=scale)[0].plans for scale in (100, 50))
    assert whole.size == Size(1000, 4000, 2.0, 100) and half.size == Size(500, 2000, 1.0, 100)
    assert whole.monthly_gbp == half.monthly_gbp and whole.id == half.id


def test_a_retired_plan_is_known_and_not_offered(tmp_path: Path) -> None:
    (tmp_path / "plans.toml").write_text(
        ONE + "retired = true\n" + ONE[ONE.index("[redis.plans") :].replace("tiny", "big")
    )
    (service,) = plans.read(tmp_path / "plans.toml", scale=100)
    offered = offers.offering(service, kinds.load(KINDS, "redis")(service.more))
    assert [plan.name for plan in offered.plans] == ["big"] and len(service.plans) == 2


def test_a_plan_is_never_too_small_to_run(tmp_path: Path) -> None:
    (tmp_path / "plans.toml").write_text(ONE)
    size = plans.read(tmp_path / "plans.toml", scale=1)[0].plans[0].size
    assert size.memory_mb >= plans.LEAST_MEMORY_MB and size.disk_mb >= plans.LEAST_DISK_MB and size.cpus > 0


@pytest.mark.parametrize("line", ["memory_mb = 1000", 'title = "Redis"', "cpus = 2"])
def test_a_file_that_lacks_something_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / "plans.toml").write_text(ONE.replace(line, ""))
    with pytest.raises(plans.PlansWrong, match="redis"):
        plans.read(tmp_path / "plans.toml", scale=100)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plans.toml").write_text("[redis")
    with pytest.raises(plans.PlansWrong, match="TOML"):
        plans.read(tmp_path / "plans.toml", scale=100)


def test_what_is_missing_is_said_in_a_sentence() -> None:
    size = Size(memory_mb=512, disk_mb=5000, cpus=1, connections=50)
    assert room.lacks(size, room.Left(memory_mb=512, disk_mb=5000)) == ""
    told = room.lacks(size, room.Left(memory_mb=100, disk_mb=5000))
    assert "512 MB of memory, and 100 MB are free" in told and "disk" not in told
