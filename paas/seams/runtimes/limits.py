"""Finds the limits that the engine itself is under, since no container can be given more."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

DEFAULT = "unix:///var/run/docker.sock"


def open_files(wanted: int) -> int:
    """Return ``wanted``, or the engine's own limit on open files where that is lower."""
    return min(wanted, _hard_limit(_engine_process()))


def _engine_process() -> int:
    """Return the process id of the engine, which the kernel tells at the other end of its socket."""
    path = os.environ.get("DOCKER_HOST", DEFAULT).removeprefix("unix://")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(path)
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process: int = struct.unpack("3i", told)[0]
    return process


def _hard_limit(process: int) -> int:
    for line in Path(f"/proc/{process}/limits").read_text().splitlines():
        if line.startswith("Max open files"):
            hard = line.split()[4]
            return 1 << 20 if hard == "unlimited" else int(hard)
    raise LookupError(f"The kernel tells no limit on open files for process {process}.")
