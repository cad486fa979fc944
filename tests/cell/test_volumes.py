"""Disks that outlive their instances."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from paas.lib.errors import ServiceUnavailable, Unprocessable
from paas.seams.runtimes.base import Placement, Volume, Workload
from tests.cell.machine import Machine

pytestmark = pytest.mark.slow


def keeping(machine: Machine, app: str, *, size_mb: int = 64) -> Workload:
    return machine.workload(app, volume=Volume(f"{app}-data", "/kept", size_mb))


def again(machine: Machine, workload: Workload, **fields: object) -> Workload:
    """The same with a new instance, as after a change of plan."""
    return replace(workload, instances=(Placement(f"{workload.app}-again", 0, machine.address()),), **fields)  # type: ignore[arg-type]


def test_what_was_written_is_there_for_the_next_instance_until_it_is_forgotten(machine: Machine) -> None:
    first = keeping(machine, "keeper")
    machine.run(first)
    assert machine.inside(first.instances[0].guid, "sh", "-c", "echo text > /kept/file").returncode == 0
    machine.runtime.prune("keeper", ())
    second = again(machine, first)
    machine.run(second)
    assert machine.inside(second.instances[0].guid, "cat", "/kept/file").stdout == "text\n"
    machine.runtime.prune("keeper", ())
    machine.runtime.forget("keeper")
    assert not list((machine.folder / "volumes").glob("keeper*"))


def test_it_grows_with_what_is_in_it(machine: Machine) -> None:
    first = keeping(machine, "grower")
    machine.run(first)
    machine.inside(first.instances[0].guid, "sh", "-c", "echo text > /kept/file")
    machine.runtime.prune("grower", ())
    second = again(machine, first, volume=Volume("grower-data", "/kept", 256))
    machine.run(second)
    guid = second.instances[0].guid
    assert machine.inside(guid, "cat", "/kept/file").stdout == "text\n"
    assert int(machine.inside(guid, "df", "--output=size", "--block-size=1M", "/kept").stdout.split()[-1]) > 200


def test_one_that_is_in_use_grows_when_it_is_free(machine: Machine, tmp_path: Path) -> None:
    machine.run(keeping(machine, "busy"))
    machine.runtime.prune("busy", ())
    subprocess.run(["mount", "-o", "loop", machine.folder / "volumes/busy-data.img", tmp_path], check=True)
    with pytest.raises(ServiceUnavailable, match="still in use"):
        machine.runtime.cell.create_volume("busy-data", app="busy", size_mb=256)
    subprocess.run(["umount", tmp_path], check=True)
    mounted = machine.runtime.cell.create_volume("busy-data", app="busy", size_mb=256)
    seen = os.statvfs(mounted)
    assert seen.f_blocks * seen.f_frsize > 200 << 20


def test_its_size_is_taken_from_the_machine_at_once_and_is_its_own_limit(machine: Machine) -> None:
    workload = keeping(machine, "filler")
    machine.run(workload)
    image = machine.folder / "volumes/filler-data.img"
    assert image.stat().st_blocks * 512 >= 64 << 20
    full = machine.inside(workload.instances[0].guid, "dd", "if=/dev/zero", "of=/kept/file", "bs=1M", "count=100")
    assert "No space left on device" in full.stderr


def test_more_than_the_machine_has_is_refused_in_a_sentence(machine: Machine) -> None:
    free = os.statvfs(machine.folder)
    wanted = free.f_bavail * free.f_frsize >> 20
    with pytest.raises(Unprocessable, match=r"needs \d+ MB, and the machine has \d+ MB"):
        machine.runtime.cell.create_volume("vast", app="vast", size_mb=wanted)
    machine.runtime.forget("vast")
    assert not list((machine.folder / "volumes").glob("vast*"))


def test_one_that_an_agent_did_not_finish_is_made_anew(machine: Machine) -> None:
    image = machine.folder / "volumes/half-data.img"
    image.write_bytes(b"half of a file system")
    machine.run(keeping(machine, "half"))
    assert image.stat().st_size == 64 << 20


def test_others_find_the_instance_by_its_name(machine: Machine) -> None:
    named = machine.workload("named", host="named.service.internal")
    other = machine.workload("other")
    machine.run(named)
    machine.run(other)
    found = machine.inside(other.instances[0].guid, "getent", "hosts", "named.service.internal").stdout
    assert found.split()[0] == named.instances[0].address
