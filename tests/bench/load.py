"""One burst of requests on a loopback port, made by wrk."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from paas.host import debian
from paas.host.shell import run
from paas.host.steps import Steps

NEEDS = {"wrk": "wrk"}
CONNECTIONS = 32
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Burst:
    per_second: float
    p99: float  # milliseconds
    processor: float  # microseconds of it that the router took for one request


def ensure() -> None:
    """Install the load generator where it is missing."""
    debian.install(debian.missing(NEEDS), Steps())


def burst(port: int, host: str, *, seconds: int, pid: int) -> Burst:
    """Ask as fast as the answers come, on a fixed number of connections; every answer has to be a good one.

    ``pid`` is the process at the port.
    """
    before = _processor(pid)
    words = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--latency"]
    said = run([*words, "--header", f"Host: {host}", f"http://127.0.0.1:{port}/"])
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said)
    assert rate and p99, said
    each = (_processor(pid) - before) / (float(rate[1]) * seconds)
    return Burst(per_second=float(rate[1]), p99=float(p99[1]) * UNITS[p99[2]], processor=each * 1e6)


def _processor(pid: int) -> float:
    """Return the seconds of processor that the process has taken."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
