"""What an instance is, seen from inside: nobody, with nothing, and bounded in everything."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from paas.seams.runtimes.base import HealthCheck, Observation
from tests.cell.machine import Machine, wait_until

pytestmark = pytest.mark.slow

ALIVE = HealthCheck(type="process")


def answers(seen: Observation) -> bool:
    with urllib.request.urlopen(f"http://{seen.address}:8080/", timeout=10) as answer:
        return bool(answer.read() == b"hello")


def status(machine: Machine, seen: Observation) -> dict[str, str]:
    """Return /proc/<pid>/status of the app itself."""
    text = machine.inside(seen.instance, "sh", "-c", "cat /proc/$(pgrep -f server.py | head -1)/status").stdout
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}


def test_it_is_not_root_and_cannot_become_it(machine: Machine, mine: Observation) -> None:
    facts = status(machine, mine)
    assert facts["Uid"].split() == ["2000"] * 4 and facts["Gid"].split() == ["2000"] * 4
    assert {facts[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert facts["NoNewPrivs"] == "1"


def test_its_system_calls_are_filtered(machine: Machine, mine: Observation) -> None:
    assert status(machine, mine)["Seccomp"] == "2"
    assert machine.inside(mine.instance, "unshare", "--user", "true").returncode != 0
    assert machine.inside(mine.instance, "mount", "-t", "tmpfs", "none", "/home/vcap/tmp").returncode != 0


def test_it_writes_to_its_own_places_only(machine: Machine, mine: Observation) -> None:
    for path in ("/usr/x", "/etc/x", "/x", "/etc/cf-system-certificates/ca.crt", "/proc/sys/kernel/core_pattern"):
        assert machine.inside(mine.instance, "sh", "-c", f"echo x > {path}").returncode != 0, path
    for path in ("/tmp/x", "/home/vcap/x", "/home/vcap/app/x", "/home/vcap/tmp/x"):
        assert machine.inside(mine.instance, "sh", "-c", f"echo x > {path}").returncode == 0, path


def test_it_sees_its_own_processes_only(machine: Machine, mine: Observation, theirs: Observation) -> None:
    assert len(machine.inside(mine.instance, "pgrep", "-f", "server.py").stdout.split()) == 1
    found = machine.inside(mine.instance, "sh", "-c", "cat /proc/[0-9]*/environ")
    assert "of mine" in found.stdout and "of theirs" not in found.stdout


def test_it_sees_no_files_of_others_nor_of_the_platform(
    machine: Machine, mine: Observation, theirs: Observation
) -> None:
    machine.inside(theirs.instance, "sh", "-c", "echo x > /home/vcap/their-file; echo x > /tmp/their-file")
    found = machine.inside(mine.instance, "find", "/", "-xdev", "-name", "their-file").stdout
    assert found == machine.inside(mine.instance, "find", "/home", "/tmp", "-name", "their-file").stdout == ""
    for path in ("/var/run/docker.sock", str(machine.folder), "/dev/vda", "/dev/loop0", "/dev/mem"):
        assert machine.inside(mine.instance, "test", "-e", path).returncode != 0, path


def test_it_trusts_what_the_machine_trusts_and_the_platforms_own_services(machine: Machine, mine: Observation) -> None:
    trusted = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")).read_text()
    own = machine.runtime.authority.certificate().read_text()
    assert machine.inside(mine.instance, "sh", "-c", "cat $SSL_CERT_FILE").stdout == trusted + own


def test_a_full_disk_is_its_own_trouble(machine: Machine, theirs: Observation) -> None:
    seen = machine.run(machine.workload("filler", disk_mb=32))
    before = os.statvfs(machine.folder).f_bavail
    filled = machine.inside(seen.instance, "dd", "if=/dev/zero", "of=/home/vcap/app/big", "bs=1M", "count=500")
    assert "No space left on device" in filled.stderr
    written = (before - os.statvfs(machine.folder).f_bavail) * os.statvfs(machine.folder).f_frsize
    assert written < 200 << 20  # others write too, but not the 500 MB that were asked for
    assert machine.inside(theirs.instance, "sh", "-c", "echo x > /home/vcap/app/small").returncode == 0
    assert answers(seen) and answers(theirs)
    full = machine.seen(seen.instance)
    assert full and full.disk_bytes and 24 << 20 < full.disk_bytes <= 32 << 20
    machine.runtime.prune("filler", [])


def test_a_full_tmp_is_its_own_trouble(machine: Machine, mine: Observation) -> None:
    filled = machine.inside(mine.instance, "dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=500")
    assert "No space left on device" in filled.stderr
    machine.inside(mine.instance, "rm", "/tmp/big")
    assert answers(mine)


def test_a_fork_bomb_is_its_own_trouble(machine: Machine, theirs: Observation) -> None:
    bomb = "import os, time\nwhile True:\n    try: os.fork()\n    except OSError: time.sleep(0.1)"
    source = machine.droplet({"app/bomb.py": bomb}, "exec python3 bomb.py")
    workload = machine.workload("bomb", source=source, health=ALIVE, memory_mb=512)
    machine.runtime.apply(workload)
    processes = Path(f"/proc/{_pid(machine, workload.instances[0].guid)}")
    wait_until(processes.exists, "the bomb")
    time.sleep(3)
    limit = subprocess.run(
        ["docker", "inspect", "--format", "{{.HostConfig.PidsLimit}}", machine.container(workload.instances[0].guid)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(limit.stdout) == 1024
    assert answers(theirs)
    other = machine.run(machine.workload("beside"))
    assert answers(other)
    machine.runtime.prune("bomb", [], grace=1)
    machine.runtime.prune("beside", [], grace=1)


def test_a_memory_hog_is_its_own_trouble(machine: Machine, theirs: Observation) -> None:
    hog = "x = []\nwhile True: x.append(bytearray(10 << 20))"
    source = machine.droplet({"app/hog.py": hog}, "exec python3 hog.py")
    machine.runtime.apply(machine.workload("hog", source=source, health=ALIVE))
    wait_until(lambda: [each for each in machine.runtime.happenings(0) if each.app == "hog"], "its end")
    again = machine.seen(theirs.instance)
    assert answers(theirs) and again and again.crashes == 0
    machine.runtime.prune("hog", [], grace=1)


def test_the_processor_is_shared_out(machine: Machine) -> None:
    spin = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    source = machine.droplet({"app/spin.py": spin}, "exec python3 spin.py")
    workload = machine.workload("spin", source=source, health=ALIVE)
    machine.runtime.apply(workload)
    guid = workload.instances[0].guid
    machine.seen(guid)
    time.sleep(3)
    seen = machine.seen(guid)
    machine.runtime.prune("spin", [], grace=1)
    assert seen and seen.cpu and 0.1 < seen.cpu <= 1.15  # eight processes that want two cores have one


def test_its_usage_is_seen(machine: Machine, mine: Observation) -> None:
    seen = machine.seen(mine.instance)
    assert seen and seen.memory_bytes and 1 << 20 < seen.memory_bytes < 128 << 20
    assert seen.disk_bytes is not None and seen.disk_bytes < 32 << 20


def _pid(machine: Machine, instance: str) -> int:
    command = ["docker", "inspect", "--format", "{{.State.Pid}}", machine.container(instance)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
