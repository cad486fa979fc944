"""How instances look in ``/stats``. Clients read these as whole numbers: one fraction, and they give up."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.environment import FILE_DESCRIPTORS, PORT
from apps.live import Shown, Usage
from paas.lib.v3 import stamp

MB = 2**20


def uptime(shown: Shown) -> int:
    """Seconds since the instance has been what it is; clients compute from it since when."""
    return max(int((timezone.now() - shown.since).total_seconds()), 0)


def usage(used: Usage | None) -> dict[str, Any]:
    """``cpu`` is 1.0 for a whole core; nothing is better than a guess where nothing was seen."""
    if used is None:
        return {}
    return {
        "time": stamp(used.at),
        "cpu": used.cpu,
        "cpu_entitlement": None,
        "mem": used.memory,
        "disk": used.disk,
        "log_rate": used.log_rate,
    }


def entry(shown: Shown) -> dict[str, Any]:
    """One instance; of one that should not run, only that it is down."""
    down = {
        "type": shown.process_type,
        "index": shown.index,
        "state": shown.state,
        "routable": shown.routable,
        "uptime": uptime(shown),
        "isolation_segment": None,
        "details": shown.details or None,
    }
    if shown.state == "DOWN":
        return down
    ports = {
        "external": PORT,
        "internal": PORT,
        "external_tls_proxy_port": None,
        "internal_tls_proxy_port": None,
    }
    return down | {
        "instance_guid": shown.guid,
        "host": shown.address,
        "instance_internal_ip": shown.address,
        "instance_ports": [ports] if shown.address else [],
        "mem_quota": shown.memory_mb * MB,
        "disk_quota": shown.disk_mb * MB,
        "log_rate_limit": shown.log_rate,
        "fds_quota": FILE_DESCRIPTORS,
        "usage": usage(shown.usage),
    }


def brief(shown: Shown) -> dict[str, Any]:
    return {"index": shown.index, "state": shown.state, "since": uptime(shown)}
