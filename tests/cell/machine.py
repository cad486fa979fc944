"""A machine for tests: the real engine, an agent of its own with a network of its own, and all of it removed after."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.stacks import image_name
from paas.seams.blobs.disk import DiskBlobs
from paas.seams.runtimes.base import Observation, Placement, StackDroplet, Workload
from paas.seams.runtimes.docker import DockerRuntime

ROOT = Path(__file__).resolve().parents[2]

SERVER = """
import http.server, os, signal, sys, time

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/exit/"):
            print("going down", flush=True)
            os._exit(int(self.path.removeprefix("/exit/")))
        if self.path.startswith("/say/"):
            print(self.path.removeprefix("/say/"), flush=True)
        self.send_response(int(os.environ.get("ANSWER", 200)))
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "hello").encode())
    def log_message(self, *words):
        pass

def leave(*_):
    print("got the signal", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
print("listening", flush=True)
http.server.HTTPServer(("", int(os.environ["PORT"])), Answer).serve_forever()
"""


class Machine:
    def __init__(self, folder: Path, *, memory_mb: int = 4096, **config: Any) -> None:
        self.install = "t" + secrets.token_hex(3)
        self.folder = folder
        self.prefix = _free_prefix()
        self.blobs = DiskBlobs(root=folder / "blobs")
        self.config = {
            "install": self.install,
            "bridge": f"paas-{self.install}",
            "subnet": f"{self.prefix}.0/24",
            "gateway": f"{self.prefix}.1",
            "router_ports": [],
            "egress_allow": [],
            "egress_deny": [],
            "docker_socket": "/var/run/docker.sock",
            "logs_max_bytes_per_app": 64 << 20,
            "logs_max_age_seconds": 86400,
            "router_access_log": str(folder / "router/access.log"),
            **config,
        }
        self.write_config()
        self.runtime = self.runtime_with(memory_mb)
        self.agent: subprocess.Popen[bytes] | None = None
        self.used = 1
        self._source: StackDroplet | None = None

    def write_config(self, **changes: Any) -> None:
        self.config |= changes
        for name in ("cell", "router"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "cell/config.json").write_text(json.dumps(self.config))

    def runtime_with(self, memory_mb: int) -> DockerRuntime:
        images = {"debian12": image_name()}
        return DockerRuntime(
            install=self.install, state=self.folder, blobs=self.blobs, images=images, memory_mb=memory_mb
        )

    def start_agent(self) -> None:
        command = [sys.executable, "-m", "paas.cell", "--state", str(self.folder)]
        self.agent = subprocess.Popen(command, cwd=ROOT, stderr=(self.folder / "agent.log").open("ab"))
        wait_until(lambda: self.problems() == [], f"the agent to be well: {self.folder / 'agent.log'}")

    def stop_agent(self, *, number: int = signal.SIGTERM) -> None:
        assert self.agent
        self.agent.send_signal(number)
        self.agent.wait(30)

    def problems(self) -> list[str] | None:
        try:
            return list(self.runtime.cell.health()["problems"])
        except Exception:
            return None

    def source(self) -> StackDroplet:
        """Return a droplet with the server above as its start."""
        if self._source is None:
            self._source = self.droplet({"app/server.py": SERVER}, "exec python3 server.py")
        return self._source

    def droplet(self, files: dict[str, str], start: str) -> StackDroplet:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as tar:
            for name in ("app", "deps", "tmp", "logs"):
                folder = tarfile.TarInfo(f"./{name}")
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(folder)
            for name, text in {**files, "staging_info.yml": json.dumps({"start_command": start})}.items():
                info = tarfile.TarInfo(f"./{name}")
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        digest = hashlib.sha256(data.getvalue()).hexdigest()
        self.blobs.put(f"droplets/{digest}", io.BytesIO(data.getvalue()))
        return StackDroplet("debian12", f"droplets/{digest}", digest)

    def workload(self, app: str, *, count: int = 1, **fields: Any) -> Workload:
        """Return a workload of the server, or of what the fields say, with new instances."""
        placements = tuple(
            Placement(f"{app}-{index}-{secrets.token_hex(2)}", index, self.address()) for index in range(count)
        )
        given = {
            "app_name": app,
            "process_type": "web",
            "revision": "revision-1",
            "log_source": "APP/PROC/WEB",
            "source": self.source() if "source" not in fields else fields["source"],
            "command": "",
            "environment": {},
            "instances": placements,
            "memory_mb": 64,
            "disk_mb": 32,
        }
        return Workload(app=app, **{**given, **fields})

    def task(self, app: str, command: str, **fields: Any) -> Workload:
        given = {"process_type": "task", "log_source": "APP/TASK/work", "one_off": True, "ports": ()}
        return self.workload(app, command=command, **{**given, **fields})

    def address(self) -> str:
        self.used += 1
        return f"{self.prefix}.{self.used}"

    def container(self, instance: str) -> str:
        return f"paas-{self.install}-i-{instance}"

    def run(self, workload: Workload) -> Observation:
        """Apply and wait until the first instance is ready."""
        self.runtime.apply(workload)
        return self.ready(workload.instances[0].guid)

    def ready(self, instance: str) -> Observation:
        return wait_until(lambda: (seen := self.seen(instance)) and seen.ready and seen, f"{instance} to be ready")

    def ended(self, instance: str) -> Observation:
        return wait_until(
            lambda: (seen := self.seen(instance)) and seen.state == "stopped" and seen.exit and seen,
            f"{instance} to have ended",
        )

    def seen(self, instance: str) -> Observation | None:
        return next((each for each in self.runtime.observe() if each.instance == instance), None)

    def texts(self, app: str, *, source_type: str = "") -> list[str]:
        """Return the whole log's texts, read in pages as a client does."""
        found: list[str] = []
        start = 0
        while lines := self.runtime.read_log(
            app, start=start, limit=1000, source_types=[source_type] if source_type else ()
        ):
            found += [line.text for line in lines]
            start = lines[-1].at + 1
        return found

    def inside(self, instance: str, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as its own user."""
        return subprocess.run(
            ["docker", "exec", self.container(instance), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def close(self) -> None:
        """Remove containers, disks, firewall and network, whatever the test left."""
        if self.agent and self.agent.poll() is None:
            self.stop_agent()
        mine = ["--filter", f"label=paas.install={self.install}"]
        for container in docker("ps", "--all", "--quiet", *mine).split():
            docker("rm", "--force", "--volumes", container)
        for point in (*(self.folder / "disks").glob("*"), *(self.folder / "volumes").glob("*")):
            if point.is_mount():
                subprocess.run(["umount", "--lazy", str(point)], check=True)
        for network in docker("network", "ls", "--quiet", *mine).split():
            docker("network", "rm", network)
        remove = "import sys, pathlib; from paas.cell import config, firewall; "
        remove += "firewall.Firewall(config.load(pathlib.Path(sys.argv[1]))).remove()"
        subprocess.run([sys.executable, "-c", remove, str(self.folder)], cwd=ROOT, check=True)


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=120).stdout


def wait_until(told: Callable[[], Any], what: str, *, seconds: float = 60) -> Any:
    """Return the first true answer; fail where there is none in a generous time."""
    deadline = time.monotonic() + seconds
    while not (answer := told()):
        assert time.monotonic() < deadline, f"Waited {seconds:.0f} s for {what}."
        time.sleep(0.1)
    return answer


def _free_prefix() -> str:
    """Return the first three numbers of a range that no network of the engine has."""
    taken = docker("network", "inspect", "--format", "{{json .IPAM.Config}}", *docker("network", "ls", "-q").split())
    while True:
        prefix = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(256)}"
        if f'"{prefix.rpartition(".")[0]}.' not in taken:
            return prefix
