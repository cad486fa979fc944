"""Reaches the container engine of this machine, and starts one where none answers."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from . import debian
from .shell import HostError, run, succeeds
from .steps import Steps

DEFAULT_SOCKET = "/var/run/docker.sock"
LOG = Path("/var/log/paas-engine.log")
LOCK = Path("/run/paas-engine.lock")
DAEMON_SETTINGS = Path("/etc/docker/daemon.json")
# Left over by an engine that was killed; they make the next one wait for a containerd that is not there.
PID_FILES = (Path("/var/run/docker.pid"), Path("/var/run/docker/containerd/containerd.pid"))
TRIES = 3
START_SECONDS = 40


def socket_path(environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of the engine's socket; the cell needs a local one, to make mounts beside it."""
    host = environment.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise HostError(f"DOCKER_HOST is {host}, but the engine must be on this machine: unix:///path/of/its.sock.")
    return host.removeprefix("unix://") or DEFAULT_SOCKET


def docker(*words: str | Path, stdin: str | None = None, timeout: float | None = None) -> str:
    return run(["docker", *words], stdin=stdin, timeout=timeout)


def listed(kind: str, label: str, *, form: str) -> list[str]:
    """Return one line per thing that carries the label; ``kind`` is container, image, network or volume."""
    everything = ["--all"] if kind == "container" else []
    return docker(kind, "ls", *everything, "--filter", f"label={label}", "--format", form).split("\n")[:-1]


def inspect(kind: str, name: str) -> dict | None:
    """Return what the engine knows of it, None where there is none."""
    if kind == "container":  # one call, also where there is none
        found = docker("container", "ls", "--all", "--no-trunc", "--filter", f"name=^/{name}$", "--format", "{{.ID}}")
        if not found.strip():
            return None
    try:
        return dict(json.loads(docker(kind, "inspect", name))[0])
    except HostError as error:
        if "No such" in str(error):
            return None
        raise


def answers() -> bool:
    return succeeds(["docker", "version", "--format", "{{.Server.Version}}"])


def ensure(steps: Steps) -> None:
    """Return when an engine answers: the one that is there, or else Debian's, installed and started by us."""
    socket_path()
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installs that start at once must not start two engines
        if answers():
            return
        if packages := debian.missing(debian.ENGINE_NEEDS):
            if not DAEMON_SETTINGS.exists():  # Debian's package starts it at once where systemd runs
                DAEMON_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
                DAEMON_SETTINGS.write_text('{"live-restore": true}\n')
            debian.install(packages, steps)
        if answers():
            return
        with steps.step("Starting the container engine"):
            _start()


def _start() -> None:
    if "DOCKER_HOST" in os.environ:
        raise HostError(
            f"No engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}. Start it, or unset DOCKER_HOST."
        )
    if Path("/run/systemd/system").is_dir():
        run(["systemctl", "start", "docker"])
        if _wait(START_SECONDS):
            return
        raise HostError("The container engine was started and does not answer. See `journalctl -u docker`.")
    for _ in range(TRIES):
        process = _spawn()
        if _wait(START_SECONDS, process):
            return
    last = "\n".join(LOG.read_text(errors="replace").splitlines()[-15:])
    raise HostError(f"The container engine does not start. The last lines of {LOG}:\n{last}")


def _spawn() -> subprocess.Popen[bytes]:
    for file in PID_FILES:
        if file.exists() and not Path("/proc", file.read_text().strip()).exists():
            file.unlink()
    # The settings file, where there is one, may have it as well; the engine refuses to be told twice.
    told = DAEMON_SETTINGS.exists() and "live-restore" in json.loads(DAEMON_SETTINGS.read_text() or "{}")
    command = ["dockerd", "--log-level=warn", *([] if told else ["--live-restore"])]
    with LOG.open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )


def _wait(seconds: float, process: subprocess.Popen[bytes] | None = None) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answers():
            return True
        if process and process.poll() is not None:
            return False
        time.sleep(0.3)
    if process:
        process.terminate()
        process.wait()
    return False
