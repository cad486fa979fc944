"""How a PostgreSQL server is right now, for the page of its instance."""

from __future__ import annotations

from typing import Any

import psycopg

from .base import Metrics, SlowQuery

DATABASE = "main"
EXTENSIONS_SCHEMA = "extensions"
SLOWEST = 10
LONGEST_TEXT = 500
HOW_IT_IS = """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename NOT IN ('postgres', 'counter')),
           pg_database_size(datname),
           blks_hit::float / nullif(blks_hit + blks_read, 0)
    FROM pg_stat_database WHERE datname = current_database()
"""
SLOW_QUERIES = f"""
    SELECT left(query, %s), calls, mean_exec_time, total_exec_time
    FROM {EXTENSIONS_SCHEMA}.pg_stat_statements AS seen JOIN pg_database ON pg_database.oid = seen.dbid
    JOIN pg_roles ON pg_roles.oid = seen.userid
    WHERE datname = current_database() AND rolname NOT IN ('postgres', 'counter')
    ORDER BY mean_exec_time DESC LIMIT %s
"""  # noqa: S608 - nothing in it comes from anybody


def metrics(connection: psycopg.Connection[Any], *, limit: int) -> Metrics:
    """Ask the connection's own database; ``limit`` is how many connections there may be."""
    connections, size, hits = connection.execute(HOW_IT_IS).fetchone() or (0, 0, None)
    slow = connection.execute(SLOW_QUERIES, [LONGEST_TEXT, SLOWEST]).fetchall()
    return Metrics(
        connections=connections,
        connections_limit=limit,
        size_bytes=size,
        cache_hits=None if hits is None else float(hits),
        slow_queries=tuple(SlowQuery(*row) for row in slow),
    )
