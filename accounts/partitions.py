"""Makes the events append-only and split by month, and drops the months that are too old; always as the owner."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

AUDIT = "accounts_auditevent"
TABLES = (AUDIT, "accounts_usageevent")
WAIT = "5s"  # for the lock that a drop needs: while it is waited for, nobody writes events


def partition(connection: Any, table: str) -> None:
    """Turn a table that was just created into one partitioned by month of ``created_at``, with a default partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE %s", [table, "%pkey"]
        )
        indexes = [definition for (definition,) in cursor.fetchall()]
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_plain")
        cursor.execute(
            f"CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING IDENTITY) PARTITION BY RANGE (created_at)"
        )
        cursor.execute(f"DROP TABLE {table}_plain")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id, created_at)")
        for definition in indexes:
            cursor.execute(definition)
        cursor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def _month(today: date, ahead: int) -> date:
    months = today.year * 12 + today.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def ensure(connection: Any, *, today: date, ahead: int = 24) -> None:
    """Make the partitions of this month and so many after it, where their rows are not in the default one yet."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for table in TABLES:
            for offset in range(ahead + 1):
                first, last = _month(today, offset), _month(today, offset + 1)
                name = f"{table}_{first:%Y_%m}"
                cursor.execute("SELECT to_regclass(%s)", [name])
                if cursor.fetchone()[0]:
                    continue
                cursor.execute(
                    f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE created_at >= %s AND created_at < %s)",  # noqa: S608  a table of ours
                    [first, last],
                )
                if not cursor.fetchone()[0]:
                    cursor.execute(
                        f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{last}')"
                    )
        protect(connection)


def expire(connection: Any, *, today: date, days: int) -> list[str]:
    """Drop the months of audit events that ended more than so many days ago; return the names of their tables."""
    oldest = today - timedelta(days=days)
    month = f"{AUDIT}_{oldest:%Y_%m}"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid"
            " WHERE inhparent = %s::regclass AND relname ~ %s AND relname < %s ORDER BY relname",
            [AUDIT, rf"^{AUDIT}_\d{{4}}_\d\d$", month],
        )
        gone = [name for (name,) in cursor.fetchall()]
        for name in gone:
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute(f"DELETE FROM {AUDIT}_default WHERE created_at < %s", [oldest])  # noqa: S608  a table of ours
    return gone


def protect(connection: Any) -> None:
    """Leave the application role only INSERT and SELECT on events; nothing to do where it owns the tables itself."""
    role = settings.PAAS_DATABASE_APP_ROLE
    quoted = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)", [role])
        me, exists = cursor.fetchone()
        if me == role or not exists:
            return
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE ANY(%s)",
            [[f"{t}%" for t in TABLES]],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"REVOKE ALL ON {table} FROM {quoted}")
            cursor.execute(f"GRANT SELECT, INSERT ON {table} TO {quoted}")
