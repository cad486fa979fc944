"""Runs the data plane: the router and the cell's agent, containers that go on without the control plane."""

from __future__ import annotations

import ipaddress
import json
import resource
import socket
import time
from pathlib import Path

from . import containers, environment, stamps, virtualenv
from .engine import answers, docker, socket_path
from .install import Install, load, write_private
from .settings import CHECKOUT, Settings
from .shell import HostError, run

CELL_CAPABILITIES = (
    *("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "NET_ADMIN", "NET_RAW", "MKNOD", "KILL", "CHOWN", "DAC_OVERRIDE"),
    *("DAC_READ_SEARCH", "FOWNER", "FSETID", "SETUID", "SETGID", "SETFCAP"),
)
CELL_SECONDS = 30
# The agent lives in the mount namespace of the engine, so that its mounts are what instances get and its paths are the
# machine's. The engine and not process 1: some machines let nobody look into that.
ENTER = """
for file in /proc/[0-9]*/comm; do
    read -r name < "$file" 2>/dev/null || continue
    if [ "$name" = dockerd ]; then pid=${file#/proc/}; exec nsenter --target "${pid%/comm}" --mount --wdns="$1" -- "$2" -m paas.cell --state "$3"; fi
done
echo "There is no dockerd among the machine's processes." >&2
exit 1
"""


def ensure(settings: Settings, install: Install, base_image: str) -> None:
    """Start the cell and the router, or leave them alone where they are what they should be."""
    ensure_cell(settings, install, base_image)
    ensure_router(settings, install, base_image)


def ensure_cell(settings: Settings, install: Install, base_image: str) -> None:
    state = settings.state
    config = cell_config(settings, install)
    write_private(state / "cell" / "config.json", config)
    options = ["--pid", "host", "--device-cgroup-rule", "b 7:* rwm", "--device-cgroup-rule", "c 10:237 rwm"]
    options += ["--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined"]
    options += ["--env", "PYTHONUNBUFFERED=1"]
    code = stamps.digest(config, *sorted((CHECKOUT / "paas" / "cell").glob("*.py")))
    command = ["sh", "-c", ENTER, "cell", str(CHECKOUT), str(virtualenv.PYTHON), str(state)]
    containers.ensure(
        install, "cell", base_image, command, options=options, capabilities=CELL_CAPABILITIES, watched=code
    )
    _wait_for_cell(install, state)


def cell_config(settings: Settings, install: Install) -> str:
    """Return the agent's configuration as JSON."""
    network = ipaddress.IPv4Network(install.subnet)
    return json.dumps(
        {
            "install": install.id,
            "bridge": f"paas-{install.id}",
            "subnet": install.subnet,
            "gateway": str(network[1]),
            "router_ports": [settings.port, settings.tls_port] if settings.secure else [settings.port],
            "egress_allow": list(settings.egress_allow),
            "egress_deny": list(settings.egress_deny),
            "docker_socket": socket_path(),
            "router_access_log": str(settings.state / "router" / "access.log"),
        },
        indent=2,
    )


def _wait_for_cell(install: Install, state: Path) -> None:
    end = time.monotonic() + CELL_SECONDS
    while not cell_answers(state):
        if time.monotonic() > end:
            last = docker("logs", "--tail", "15", install.named("cell"))
            raise HostError(f"The cell's agent does not answer after {CELL_SECONDS} s. Its last lines:\n{last}")
        time.sleep(0.2)


def cell_answers(state: Path) -> bool:
    """Tell whether the agent takes connections on its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(state / "cell" / "cell.sock"))
        except OSError:
            return False
    return True


def ensure_router(settings: Settings, install: Install, base_image: str) -> None:
    made = json.loads(_router("prepare", settings, install))
    binary = Path(made["binary"])
    folder = settings.state / "router"
    found = binary.stat()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    options = ["--security-opt", "no-new-privileges", "--read-only", "--ulimit", f"nofile={files}:{files}"]
    for source, readonly in ((folder, ""), (binary, ",readonly")):
        options += ["--mount", f"type=bind,source={source},target={source}{readonly}"]
    containers.ensure(
        install,
        "router",
        base_image,
        made["command"],
        options=options,
        capabilities=("NET_BIND_SERVICE",),
        watched=f"{found.st_size} {found.st_mtime_ns} {stamps.digest(folder / 'bootstrap.json')}",
    )
    _router("wait", settings, install)


def _router(verb: str, settings: Settings, install: Install) -> str:
    """Ask our half of the router's seam, which needs the virtual environment."""
    certificate, key = settings.tls.split(",") if "," in settings.tls else (None, None)
    listen = {
        "port": settings.public_port,
        "tls": "files" if certificate else settings.tls,
        "certificate": certificate,
        "key": key,
        "redirect_port": settings.port if settings.secure else None,
    }
    console = {"domain": settings.domain, "apps_domain": settings.apps_domain, "port": install.web_port}
    request = json.dumps({"state": str(settings.state), "listen": listen, "console": console})
    command = [str(virtualenv.PYTHON), "-m", "paas.host.router", verb]
    return run(command, stdin=request, folder=CHECKOUT, environment=environment.process({}))


def router_ports(state: Path) -> set[int]:
    """Return the ports that our own router listens on, none where it does not run."""
    front, install = state / "router" / "front.json", load(state)
    if install is None or not front.exists() or not answers() or not containers.is_running(install.named("router")):
        return set()
    listen = json.loads(front.read_text())["listen"]
    return {port for port in (listen["port"], listen["redirect_port"]) if port}
