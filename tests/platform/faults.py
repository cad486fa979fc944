"""What the tests of faults share: a running house taken apart on purpose, and what it may not leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from paas.host import controlplane, install
from paas.host.stop import mounts_under
from tests.host.house import House
from tests.platform import apps
from tests.platform.client import Client, wait_until, zipped

ADOPTED = 90  # seconds: three times what is promised from a worker being there to the work being done

_HOLD = """
import os, sys, time
step, until = open(os.path.join(sys.argv[1], "hold")).read().split()
while step == os.path.basename(sys.argv[0]) and time.time() < float(until):
    time.sleep(0.1)
"""
_SCRIPT = "#!/usr/local/lib/paas/tools/bin/python\n" + _HOLD
# Takes the apps that have a file `hold` ("<step> <until>"), and stays in that step until the moment has come.
HOLDING_BUILDPACK = {f"bin/{step}": _SCRIPT for step in ("detect", "supply", "finalize")}

# Greets as GREETING says; listens once START_AT has come; with LINGER it does not leave when it is asked to.
_SLOW = """
import os, signal, sys, time
wait = float(os.environ.get("START_AT") or 0) - time.time()
if wait > 0:
    time.sleep(wait)
"""
_LINGER = """
if os.environ.get("LINGER"):
    signal.signal(signal.SIGTERM, lambda *_: print("got the signal", flush=True))
"""


def slow_server() -> dict[str, str]:
    files = apps.server("GREETING")
    told = files["server.py"].replace("GREETING = 'GREETING'", 'GREETING = os.environ.get("GREETING", "")')
    return {**files, "server.py": _SLOW + told.replace('print("listening"', f'{_LINGER}\nprint("listening"')}


def holding(step: str, seconds: float, **more: str | bytes) -> dict[str, str | bytes]:
    """An app whose build stays in a step for a while, the first time."""
    return {"hold": f"{step} {time.time() + seconds}", **apps.server(), **more}


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

    def empty_redis(self) -> None:
        address = f"redis://:{self.install.redis_password}@127.0.0.1:{self.install.redis_port}/0"
        redis.Redis.from_url(address).flushall()

    # What is on the engine and on the disk -------------------------------------------------------------------

    def instances(self, app: Any | None = None) -> set[str]:
        """The guids of the instances that there are containers for."""
        labels = [self.install.label, "paas.kind=instance"] + ([f"paas.app={app['guid']}"] if app else [])
        return self._labelled(labels, "paas.instance")

    def building(self, build: Any) -> str:
        """The command lines of what runs in the build's container, "" where there is none."""
        try:
            return docker("top", self.container(f"build-{build['guid']}"))
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
        wait_until(lambda: not self.left_over() or None, "the leftovers to go", seconds=30) if self.left_over() else None

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
