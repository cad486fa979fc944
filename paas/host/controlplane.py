"""The control plane's processes and the management commands that prepare it."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import environment, stamps, virtualenv
from .install import Install
from .settings import CHECKOUT
from .shell import HostError, run
from .supervisor import GRACE_SECONDS, Process

WORKERS = {"builds": 2, "converge": 4, "services": 16}  # queue -> what it does, and mostly waits for, at the same time


def processes(install: Install, variables: Mapping[str, str], state: Path) -> list[Process]:
    """Return what has to run: the web server, a worker per queue, and the clock that finds due work."""
    # The workers make mounts and talk to the engine, so they run as root; Celery warns of that at every start.
    python = [str(virtualenv.PYTHON), "-W", "ignore::Warning:celery.platforms", "-m"]
    ours = environment.process(variables)
    # Static files are read whole, being small; Django would say so for each of them.
    quiet = ["-W", "ignore:StreamingHttpResponse must consume synchronous iterators:Warning"]
    web = ["uvicorn", "paas.asgi:application", "--host", "127.0.0.1", "--port", str(install.web_port)]
    web += ["--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", str(GRACE_SECONDS - 4)]
    found = [Process("web", [python[0], *quiet, *python[1:], *web], ours)]
    for queue, threads in WORKERS.items():
        name = f"{queue}@{install.id}"
        worker = [
            "celery",
            "--quiet",
            "-A",
            "paas",
            "worker",
            "-P",
            "threads",
            "-Q",
            queue,
            "-c",
            str(threads),
            "-n",
            name,
        ]
        # One worker per queue: there is nobody to gossip with.
        worker += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        found.append(Process(queue, [*python, *worker], ours))
    beat = [
        "celery",
        "--quiet",
        "-A",
        "paas",
        "beat",
        "--loglevel",
        "WARNING",
        "--pidfile=",
        "-s",
        str(state / "beat-schedule"),
    ]
    return [*found, Process("beat", [*python, *beat], ours)]


def manage(variables: Mapping[str, str], *words: str, **more: str) -> str:
    """Run a management command and return what it prints; ``more`` is added to its environment."""
    command = [str(virtualenv.PYTHON), str(CHECKOUT / "manage.py"), *words]
    return run(command, folder=CHECKOUT, environment=environment.process(variables, **more))


def collect_static(variables: Mapping[str, str], state: Path) -> None:
    """Bring the console's static files to where the web server serves them from, if they or the lock changed."""
    sources = [folder for folder in (CHECKOUT / "static", state / "assets") if folder.is_dir()]

    def collect() -> None:
        manage(variables, "collectstatic", "--no-input", "--clear", "--verbosity", "0")

    stamps.make(state / "stamps" / "static", stamps.digest(*sources, virtualenv.key()), collect)


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold the install's lock while the control plane runs; refuse where another holds it."""
    file = state / "run.lock"
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HostError(f"The platform in {state} is running already. `make stop` ends it.") from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def running(state: Path) -> int | None:
    """Return the process id of the control plane's supervisor, None where it does not run."""
    file = state / "run.lock"
    if not file.exists():
        return None
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read())
    return None


def stop(state: Path) -> None:
    """End the control plane that runs in the foreground somewhere; return when it is gone."""
    end = time.monotonic() + GRACE_SECONDS + 8
    asked: set[int] = set()
    while pid := running(state):
        if pid not in asked:
            os.kill(pid, signal.SIGTERM)
            asked.add(pid)
        elif time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)  # its processes get a signal when it dies
        time.sleep(0.2)
