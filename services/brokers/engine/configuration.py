"""PostgreSQL's settings for the size that an instance has, and what it may begin with."""

from __future__ import annotations

from typing import Any

from paas.seams.runtimes.base import BINDINGS

from . import pgbackrest
from .base import Site

PORT = 5432
OWN_CONNECTIONS = 5  # kept for the platform: to bind, to unbind, to look
RUN = "/tmp/postgresql"  # noqa: S108 - of the container, which has no other user
RESTORE = {
    "restore_from_latest_snapshot_of": {
        "type": "string",
        "description": "The GUID of an instance whose newest backup the database begins with.",
    },
    "restore_from_latest_snapshot_before": {
        "type": "string",
        "description": "Then its newest backup from before this time, like 2026-03-31 14:05:00 (UTC).",
    },
    "restore_from_point_in_time_of": {
        "type": "string",
        "description": "The GUID of an instance whose state the database begins with, as it is now.",
    },
    "restore_from_point_in_time_before": {
        "type": "string",
        "description": "Then its state at this time, like 2026-03-31 14:05:00 (UTC), of the last 7 days.",
    },
}


def settings(site: Site) -> dict[str, Any]:
    """Return the server's settings for its size; text values quoted as its file wants them."""
    memory, disk = site.size.memory_mb, site.size.disk_mb
    connections = site.size.connections + OWN_CONNECTIONS
    return {
        **(pgbackrest.SETTINGS if site.depot else {}),
        "listen_addresses": "'*'",
        "port": PORT,
        # No way in from inside but for backups: a function that connects to its own server must not meet the superuser.
        "unix_socket_directories": f"'{RUN}'" if site.depot else "''",
        "hba_file": f"'{RUN}/pg_hba.conf'",
        "ident_file": "'/dev/null'",
        "max_connections": connections,
        "superuser_reserved_connections": OWN_CONNECTIONS,
        "shared_buffers": f"{memory // 4}MB",
        "effective_cache_size": f"{memory * 3 // 4}MB",
        "work_mem": f"{max(1, memory // 4 // connections)}MB",
        "maintenance_work_mem": f"{max(16, memory // 16)}MB",
        "max_wal_size": f"{min(4096, max(64, disk // 10))}MB",
        "min_wal_size": "32MB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "ssl": "on",
        "ssl_cert_file": f"'{BINDINGS}/certificate.pem'",
        "ssl_key_file": f"'{RUN}/key.pem'",
        "ssl_min_protocol_version": "'TLSv1.2'",
        "password_encryption": "'scram-sha-256'",
        "shared_preload_libraries": "'pg_stat_statements,pgaudit'",
        "pgaudit.log": "'none'",
        "log_timezone": "'UTC'",
        "timezone": "'UTC'",
        "log_line_prefix": "'%q%u@%d '",
        "log_checkpoints": "off",
        "log_min_duration_statement": "-1",
        "lc_messages": "'C.UTF-8'",
        "dynamic_library_path": "'$libdir'",
    }
