"""How many rows the tables of a database must have once it is restored: measured before and after the mark, while apps write.

What a transaction from before the mark had written, and what is still there after it, was there in between; a row keeps
its place until it is written anew. Of a large table the first and the last blocks are looked at, else all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql

from .base import Json, NotAllowed

TABLES = 50  # the largest
BLOCKS = 4096  # of one table, 32 MB
UNREAD = "-"  # instead of a number: the table could not be read
BUSY = (errors.LockNotAvailable, errors.QueryCanceled)
COUNTER = (
    "counter"  # who logs in to count, and may do what the tenant may: counting may run what the tenant has written
)
ADMITTED = "15 minutes"
FOUND = """
    SELECT quote_ident(nspname), quote_ident(relname), pg_class.oid, pg_relation_filenode(pg_class.oid),
           pg_relation_size(pg_class.oid) / current_setting('block_size')::bigint,
           pg_stat_get_tuples_inserted(pg_class.oid)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND relpersistence = 'p' AND (nspname || relname) !~ '[[:cntrl:]]'
      AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg_toast%%'
    ORDER BY pg_relation_size(pg_class.oid) DESC, pg_class.oid LIMIT %s
"""
STAYS = "SELECT pg_relation_filenode(%s), pg_stat_get_tuples_inserted(%s)"
# Who began before the mark and is not done may have put rows in that are not counted as such yet.
UNCOUNTED = """
    SELECT 1 FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < %s::timestamptz + interval '1 second'
"""


def admit(connection: psycopg.Connection[Any], password: str, *, owner: str) -> None:
    """Let the counter log in with this password for a while; it acts as the owner of the tenant's tables."""
    name = sql.Identifier(COUNTER)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [COUNTER]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(name, sql.Identifier(owner)))
    secret = connection.pgconn.encrypt_password(password.encode(), COUNTER.encode(), b"scram-sha-256").decode()
    (until,) = connection.execute(f"SELECT (now() + interval '{ADMITTED}')::text").fetchone() or ("",)
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL {}").format(name, sql.Literal(secret), sql.Literal(until))
    )


def before(connection: psycopg.Connection[Any], counter: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Return the tables as they are before the mark; ``rows`` only of those that are looked at as a whole."""
    counter.execute("SET lock_timeout = '1s'")
    row: Any = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text").fetchone()
    tables = []
    for schema, name, oid, file, blocks, inserted in connection.execute(FOUND, [TABLES]).fetchall():
        table = {"name": f"{schema}.{name}", "oid": oid, "file": file, "blocks": blocks, "inserted": inserted}
        rows = _number(counter, _count(table)) if blocks <= BLOCKS else None
        tables.append({**table, "rows": rows, "xid": row[0]})
    return tables


def after(
    connection: psycopg.Connection[Any], counter: psycopg.Connection[Any], tables: Sequence[Json]
) -> list[dict[str, Any]]:
    """Return the tables with the ``least`` rows that they had at the mark, but for those that were made anew meanwhile."""
    measured = []
    for table in tables:
        there = sql.SQL("age(xmin) > age({}::xid)").format(sql.Literal(table["xid"]))
        least = _number(counter, _count(table, there))
        file, _inserted = connection.execute(STAYS, [table["oid"]] * 2).fetchone() or (None, None)
        if least is not None and file == table["file"]:
            measured.append({**table, "least": least})
    return measured


def statements(tables: Sequence[Json]) -> str:
    """Return what counts them in what is restored, one statement a line."""
    return "".join(f"{_count(table).as_string(None)}\n" for table in tables)


def check(connection: psycopg.Connection[Any], tables: Sequence[Json], counted: Sequence[str], *, at: Any) -> None:
    """Compare what was counted in the restored database with what must be there; raise ``NotAllowed`` naming the table."""
    settled = connection.execute(UNCOUNTED, [at]).fetchone() is None
    for table, told in zip(tables, counted, strict=True):
        if told == UNREAD:
            raise NotAllowed(f"The table {table['name']} could not be read in what was restored.")
        where = f"The table {table['name']}" if table["rows"] is not None else f"What was looked at of {table['name']}"
        if int(told) < table["least"]:
            raise NotAllowed(f"{where} has {told} rows in what was restored, and must have {table['least']} or more.")
        most = _most(connection, table) if settled else None
        if most is not None and int(told) > most:
            raise NotAllowed(f"{where} has {told} rows in what was restored, and can have {most} at most.")


def _most(connection: psycopg.Connection[Any], table: Json) -> int | None:
    """Return how many rows there can have been: all from before the mark, and all that were inserted until now."""
    _file, inserted = connection.execute(STAYS, [table["oid"]] * 2).fetchone() or (None, None)
    if (
        table["rows"] is None or inserted is None or inserted < table["inserted"]
    ):  # the server counts anew after a crash
        return None
    return int(table["rows"] + inserted - table["inserted"])


def _count(table: Json, *conditions: sql.Composable) -> sql.Composed:
    half, blocks = BLOCKS // 2, table["blocks"]
    parts = [(0, half), (blocks - half, blocks)] if blocks > BLOCKS else [(0, None)]
    counts = [_count_part(table, begin, end, conditions) for begin, end in parts]
    return sql.SQL("SELECT {}").format(sql.SQL(" + ").join(counts))


def _count_part(table: Json, begin: int, end: int | None, conditions: Sequence[sql.Composable]) -> sql.Composed:
    wanted = [*conditions]
    if end is not None:
        wanted += [
            sql.SQL("ctid {} {}::tid").format(sql.SQL(sign), sql.Literal(f"({block},0)"))
            for sign, block in ((">=", begin), ("<", end))
        ]
    where = sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(wanted)) if wanted else sql.SQL("")
    # The name is quoted by the database that told it.
    return sql.SQL("(SELECT count(*) FROM ONLY {}{})").format(sql.SQL(table["name"]), where)  # type: ignore[arg-type]


def _number(connection: psycopg.Connection[Any], statement: sql.Composed) -> int | None:
    """Return what it counts, None where the table is busy, too large for the time, gone, or not the tenant's to read."""
    try:
        row: Any = connection.execute(statement).fetchone()
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) and not isinstance(error, BUSY):
            raise
        return None
    return int(row[0])
