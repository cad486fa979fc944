"""Says how an instance's container is to be made: its limits, its walls and its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .base import BINDINGS, ImageRef, Placement, Workload

LAUNCHER = "/usr/local/lib/paas/launch"
HOME = "/home/vcap"
USER = "2000:2000"
PROCESSES = 1024
OPEN_FILES = 16384
CERTIFICATES = "/etc/cf-system-certificates"
CA_FILE = f"{CERTIFICATES}/ca.crt"
SERVICES_CA_FILE = f"{CERTIFICATES}/services.crt"  # of that bundle, whom services of our own are signed by: read faster
CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
TEMPORARY = ("/tmp", "/run")  # noqa: S108 - the container's own, in memory
MB = 1 << 20


def labels(workload: Workload, placement: Placement, install: str) -> dict[str, str]:
    """Return all that the agent must know of the instance, so that it needs no control plane."""
    return {
        "paas.install": install,
        "paas.kind": "task" if workload.one_off else "instance",
        "paas.app": workload.app,
        "paas.app_name": workload.app_name,
        "paas.process": workload.process_type,
        "paas.revision": workload.revision,
        "paas.instance": placement.guid,
        "paas.index": str(placement.index),
        "paas.address": placement.address,
        "paas.zone": placement.zone,
        "paas.memory": str(workload.memory_mb),
        "paas.log_source": workload.log_source,
        "paas.log_rate": str(workload.log_rate),
        "paas.health": json.dumps(asdict(workload.health)),
        "paas.readiness": json.dumps(asdict(workload.readiness)),
    }


def volumes(image: dict[str, Any]) -> list[str]:
    """Return the folders that an image wants to write to; left to the engine they would have no limit."""
    return sorted(path for path in image["Config"].get("Volumes") or () if path != HOME)


def host_config(
    workload: Workload,
    image: dict[str, Any],
    *,
    disk: Path,
    volume: Path | None,
    stores: Sequence[Path],
    bundle: Path,
    authority: Path,
    open_files: int,
    network: str,
) -> dict[str, Any]:
    """Return keyword arguments for the SDK's ``create_host_config``.

    ``disk``, ``volume`` and ``stores`` are where the instance's own are mounted; ``bundle`` has the certificates that it
    trusts, and ``authority`` the install's own of them.
    """
    size = max(workload.memory_mb // 2, 16)
    own = [(str(disk / "home"), HOME)]
    own += [(str(disk / f"volume-{number}"), path) for number, path in enumerate(volumes(image))]
    own += [(str(volume / "data"), workload.volume.path)] if volume and workload.volume else []
    kept = [(each, str(path / "data")) for each, path in zip(workload.stores, stores, strict=True)]
    own += [(path, each.path) for each, path in kept if not each.read_only]
    read = [(path, each.path) for each, path in kept if each.read_only]
    read += [(str(bundle), CA_FILE), (str(authority), SERVICES_CA_FILE)]
    read += [(str(disk / "files"), BINDINGS)] if workload.files else []
    return {
        "network_mode": network,
        "restart_policy": {"Name": "no" if workload.one_off else "always"},
        "init": True,
        "read_only": True,
        "tmpfs": dict.fromkeys(TEMPORARY, f"rw,exec,nosuid,nodev,mode=1777,size={size}m"),
        "mounts": [
            *({"Type": "bind", "Source": source, "Target": target} for source, target in own),
            *({"Type": "bind", "Source": source, "Target": target, "ReadOnly": True} for source, target in read),
        ],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "shm_size": max(size, 64) * MB,  # counted as memory
        "mem_limit": workload.memory_mb * MB,
        "memswap_limit": workload.memory_mb * MB,
        "pids_limit": max(PROCESSES, workload.memory_mb),
        # In proportion to memory, as Cloud Foundry does, and never so much that nobody else gets anything.
        "cpu_shares": max(2, workload.memory_mb),
        "nano_cpus": int(min(os.cpu_count() or 1, workload.cpus or max(1.0, workload.memory_mb / 512)) * 10**9),
        "ulimits": [
            {"Name": "nofile", "Soft": open_files, "Hard": open_files},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "log_config": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
    }


def environment(workload: Workload, placement: Placement) -> dict[str, str]:
    """Return the whole environment: what only the runtime knows, then the workload's, then the instance's."""
    own = {
        "CF_INSTANCE_GUID": placement.guid,
        "INSTANCE_GUID": placement.guid,
        "CF_INSTANCE_INDEX": str(placement.index),
        "INSTANCE_INDEX": str(placement.index),
        "CF_INSTANCE_IP": placement.address,
        "CF_INSTANCE_INTERNAL_IP": placement.address,
        "CF_SYSTEM_CERT_PATH": CERTIFICATES,
        "MEMORY_LIMIT": f"{workload.memory_mb}m",
        "LANG": "en_US.UTF-8",
        **dict.fromkeys(CA_VARIABLES, CA_FILE),
    }
    if workload.ports and not workload.one_off:
        port = workload.ports[0]
        pairs = [{"external": each, "internal": each} for each in workload.ports]
        own |= {
            "PORT": str(port),
            "VCAP_APP_PORT": str(port),
            "VCAP_APP_HOST": "0.0.0.0",  # noqa: S104 - inside the container
            "CF_INSTANCE_PORT": str(port),
            "CF_INSTANCE_ADDR": f"{placement.address}:{port}",
            "CF_INSTANCE_PORTS": json.dumps(pairs),
        }
    return {**own, **workload.environment, **placement.environment}


def command(workload: Workload) -> dict[str, Any]:
    """Return the SDK's ``command`` and ``entrypoint``: the stack's launcher, or the image's own start."""
    wanted = _with_sidecars(workload)
    if isinstance(workload.source, ImageRef):
        return {"entrypoint": ["/bin/sh", "-c", wanted], "command": None} if wanted else {}
    return {"entrypoint": [LAUNCHER], "command": [wanted] if wanted else []}


def user(workload: Workload, image: dict[str, Any]) -> str:
    """Return who the app runs as: the stack's user, or an image's own, but never root."""
    own = str(image["Config"].get("User") or "")
    if isinstance(workload.source, ImageRef) and own.partition(":")[0] not in ("", "0", "root"):
        return own
    return USER


def _with_sidecars(workload: Workload) -> str:
    """Run sidecars beside the command: a signal reaches all, and when one ends by itself the instance has crashed."""
    if not workload.sidecars or not workload.command:
        return workload.command
    parts = [workload.command, *(sidecar.command for sidecar in workload.sidecars)]
    script = "".join(f"( {part}\n) & " for part in parts)
    on_signal = "trap '' TERM; kill -TERM 0; wait; exit 143"
    return f'trap "{on_signal}" TERM; {script}wait -n; exit $?'
