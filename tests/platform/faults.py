"""What the tests of faults share: a running house taken apart on purpose, and what it may not leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from paas.host import controlplane, engine, install
from paas.host.steps import Steps
from paas.host.stop import mounts_under
from tests.host.house import House
from tests.platform.client import Client, wait_until, zipped
from tests.platform.servers import HOLDING_BUILDPACK

ADOPTED = 90  # seconds: three times what is promised from a worker being there to the work being done


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


class Works:
    """The inside of a house, for who breaks it."""

    def __init__(self, house: House) -> None:
        self.house, self.state = house, house.state
        found = install.load(house.state)
        assert found
        self.install = found

    def container(self, what: str) -> str:
        return self.install.named(what)

    # The control plane's processes ---------------------------------------------------------------------------

    def process(self, words: str) -> int | None:
        """Return the process of the control plane whose command line has these words, None while there is none."""
        supervisor = controlplane.running(self.state)
        for child in _children(supervisor) if supervisor else ():
            if words in _command(child):
                return child
        return None

    def worker(self, queue: str) -> int | None:
        return self.process(f" -Q {queue} ")

    def kill_worker(self, queue: str) -> None:
        """End the worker without a word, and return when another is there."""
        pid = self.worker(queue)
        assert pid, f"There is no worker for {queue}"
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.worker(queue) not in (None, pid), f"a new worker for {queue}")

    @contextmanager
    def paused(self, *queues: str) -> Iterator[None]:
        """Let the workers do nothing for the length of the block."""
        pids = [pid for queue in queues if (pid := self.worker(queue))]
        assert len(pids) == len(queues)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def kill_container(self, what: str) -> None:
        """End its process without a word, and return when the engine has started it again."""
        name = self.container(what)
        before = docker("inspect", "--format", "{{.State.Pid}}", name).strip()
        os.kill(int(before), signal.SIGKILL)
        started = "{{.State.Running}} {{.State.Pid}}"
        wait_until(
            lambda: docker("inspect", "--format", started, name).split() not in (["false", "0"], ["true", before]),
            f"the {what} to be started again",
        )

    def empty_redis(self) -> None:
        address = f"redis://:{self.install.redis_password}@127.0.0.1:{self.install.redis_port}/0"
        redis.Redis.from_url(address).flushall()

    @property
    def gateway(self) -> str:
        """The machine's address as instances see it: what a name server would tell them for every app."""
        return str(IPv4Network(self.install.subnet)[1])

    # What is on the engine and on the disk -------------------------------------------------------------------

    def instances(self, app: Any | None = None) -> set[str]:
        """The guids of the instances that there are containers for."""
        labels = [self.install.label, "paas.kind=instance"] + ([f"paas.app={app['guid']}"] if app else [])
        return self._labelled(labels, "paas.instance")

    def building(self, build: Any) -> str:
        """The command lines of what runs in the build's container, "" where there is none."""
        try:
            return docker("top", self.container(f"build-{build['guid']}"), "-ww", "-eo", "pid,args")  # whole lines
        except subprocess.CalledProcessError:
            return ""

    def storing(self) -> bool:
        """Whether something is being written to the blob store."""
        folder = self.state / "blobs" / "=spool"
        return folder.is_dir() and any(path.stat().st_size for path in folder.iterdir() if path.exists())

    def left_over(self) -> dict[str, set[str]]:
        """What belongs to no instance that runs: containers of builds and tasks, disks, mounts."""
        live = self.instances()
        disks, mounts = self.state / "disks", self.state / "builds"
        found = {
            "containers": self._labelled([self.install.label, "paas.kind=build"], "paas.build")
            | self._labelled([self.install.label, "paas.kind=task"], "paas.instance"),
            "disks": {path.name.removesuffix(".img") for path in disks.iterdir()} - live,
            "mounts": {Path(point).name for point in mounts_under(disks)} - live,
            "builds": {path.name for path in mounts.iterdir()} if mounts.is_dir() else set(),
            "mounts of builds": set(mounts_under(mounts)),
        }
        return {what: some for what, some in found.items() if some}

    def clean(self) -> None:
        """Fail unless nothing is left over, after a moment for what is being removed."""
        end = time.monotonic() + 30
        while found := self.left_over():
            assert time.monotonic() < end, f"Left over: {found}"
            time.sleep(0.2)

    def _labelled(self, labels: list[str], name: str) -> set[str]:
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        return set(docker("ps", "--all", *filters, "--format", f'{{{{.Label "{name}"}}}}').split())


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def add_holding_buildpack(root: Client) -> Any:
    made = root.call("POST", "/v3/buildpacks", {"name": "holding", "position": 1})
    answer = root.send(
        "POST", f"/v3/buildpacks/{made['guid']}/upload", files={"bits": ("holding.zip", zipped(HOLDING_BUILDPACK))}
    )
    assert answer.status_code == 202, answer.text
    root.job(answer.headers["Location"])
    return made


@contextmanager
def load(client: Client, *names: str, pause: float = 0.02) -> Iterator[dict[str, Counter[str]]]:
    """Ask each app all the time for the length of the block; counts what came back, by app."""
    seen: dict[str, Counter[str]] = {name: Counter() for name in names}
    stop = threading.Event()

    def ask(name: str) -> None:
        session = requests.Session()
        while not stop.wait(pause):
            seen[name][answer_of(session, client, name)] += 1

    workers = [threading.Thread(target=ask, args=(name,)) for name in names for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        yield seen
    finally:
        stop.set()
        for worker in workers:
            worker.join(60)


def answer_of(session: requests.Session, client: Client, name: str) -> str:
    try:
        answer = session.get(client.url, headers={"Host": f"{name}.apps.localhost:{client.port}"}, timeout=30)
    except requests.RequestException as error:
        return type(error).__name__
    return answer.text if answer.status_code == 200 else f"status {answer.status_code}"


def quickly(said: Callable[[], Any], what: str, *, seconds: float = 60) -> Any:
    """As ``wait_until``, for what is there for a moment only."""
    end = time.monotonic() + seconds
    while not (answer := said()):
        assert time.monotonic() < end, f"Waited {seconds:.0f} s for {what}; last seen: {answer!r}"
        time.sleep(0.005)
    return answer


# The engine ------------------------------------------------------------------------------------------------------------


def restart_engine() -> None:
    """End the machine's engine and start it again as the platform does; what runs on it goes on, whoever it is of."""
    if json.loads(docker("info", "--format", "{{json .LiveRestoreEnabled}}")) is not True:
        pytest.skip("this machine's engine ends all containers with itself, and some may be others'")
    (pid,) = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/comm") if _name(path) == "dockerd"]
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: _has_ended(pid), "the engine to end")
    engine.ensure(Steps())


def _has_ended(pid: int) -> bool:
    """One that was started here before is our child, and stays in the table until it is waited for."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def _name(comm: Path) -> str:
    try:
        return comm.read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
