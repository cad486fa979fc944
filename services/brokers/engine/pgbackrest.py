"""PostgreSQL's backups with pgBackRest, which runs beside the server and is asked for through it, as the superuser."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import errors

from .base import Backups, NotKept, NotReady, Size, Taken, Wanted
from .depot import Bucket, Depot

STORE = "/var/lib/pgbackrest"
SCRIPTS = "/usr/local/lib/paas"
RESTORE = f"exec {SCRIPTS}/restore-postgres"
PROVE = f"exec {SCRIPTS}/restore-postgres prove"
KEPT_DAYS = 7
# With the store away the log waits on the disk, up to this part of it: then it is dropped rather than the server stopped,
# and what is restored from the last backup ends there. That is told, and another backup is taken.
WAITING_SHARE, LEAST_WAITING_MB = 4, 64
# What the image's own scripts note when the first backup has been taken; no server lies there that was restored.
IS_BACKED_UP = "SELECT size IS NOT NULL FROM pg_stat_file('/var/lib/postgresql/backed-up', true)"
IS_PUT_AWAY = "SELECT coalesce(last_failed_time < last_archived_time, last_failed_time IS NULL) FROM pg_stat_archiver"
PATIENCE = 15.0  # seconds until a part of the log is put away
LOOK = 0.2  # seconds
UNREADABLE = 99  # as pgBackRest calls it; what it tells is not what there is
NO_SERVER, NO_ANSWER = (
    "56",
    "57",
)  # also what pgBackRest calls it; the second where a statement fails, for whatever reason
IO_SECONDS = 10  # for one exchange with a bucket; less than a statement may take
SETTINGS = {
    "archive_mode": "on",
    "archive_command": f"'{SCRIPTS}/pgbackrest-push %p'",
    "archive_timeout": "60s",
}
CONFIGURATION = f"""[global]
{{place}}
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={{cipher}}
repo1-bundle=y
repo1-retention-full-type=time
repo1-retention-full={KEPT_DAYS}
compress-type=zst
start-fast=y
job-retry=1
archive-push-queue-max={{most_mb}}MB
log-level-file=off
log-level-console=warn
[main]
pg1-path=/var/lib/postgresql/data
pg1-socket-path=/tmp/postgresql
pg1-user=backup
"""


def configuration(depot: Depot, size: Size) -> str:
    lines = _in_bucket(depot.bucket) if depot.bucket else {"repo1-path": STORE}
    return CONFIGURATION.format(
        place="\n".join(f"{name}={value}" for name, value in lines.items() if value),
        cipher=depot.cipher,
        most_mb=max(LEAST_WAITING_MB, size.disk_mb // WAITING_SHARE),
    )


def _in_bucket(bucket: Bucket) -> dict[str, str]:
    return {
        "repo1-type": "s3",
        "repo1-path": f"/{bucket.prefix}",
        "repo1-s3-bucket": bucket.name,
        "repo1-s3-region": bucket.region,
        "repo1-s3-endpoint": bucket.host,
        "repo1-s3-uri-style": "path" if bucket.endpoint else "host",
        "repo1-s3-key": bucket.access_key,
        "repo1-s3-key-secret": bucket.secret_key,
        "repo1-s3-token": bucket.token,
        "repo1-storage-port": str(bucket.port),
        "repo1-storage-ca-file": bucket.ca_file,
        "io-timeout": str(IO_SECONDS),
    }


def options(wanted: Wanted) -> str:
    """Return what a restore is told, one option a line."""
    if wanted.point:
        lines = [f"--set={wanted.backup}", "--type=name", f"--target={wanted.point}", "--target-action=promote"]
    elif wanted.backup:
        lines = [f"--set={wanted.backup}", "--type=immediate", "--target-action=promote"]
    elif wanted.at:
        moment = wanted.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
        lines = ["--type=time", f"--target={moment}", "--target-action=promote"]
    else:
        lines = ["--type=default"]
    return "".join(f"{line}\n" for line in lines)


def begin(connection: psycopg.Connection[Any], *, full: bool) -> None:
    _said(connection, f"{SCRIPTS}/back-up {'full' if full else 'diff'}")


def state(connection: psycopg.Connection[Any]) -> Backups:
    archived, failed = connection.execute(
        "SELECT last_archived_time, last_failed_time FROM pg_stat_archiver"
    ).fetchone() or (None, None)
    first, words, *told = _said(connection, f"{SCRIPTS}/backup-state")
    ended, _, lost = first.partition(" ")
    stanzas = json.loads("".join(told))
    for status in (repository["status"] for stanza in stanzas for repository in stanza["repo"]):
        if status["code"] == UNREADABLE:
            raise NotReady(f"The backup store does not answer: {status['message']}.")
    taken = [_taken(each) for stanza in stanzas for each in stanza["backup"] if not each["error"]]
    error = "" if ended in ("running", "unknown", "0") else words or f"pgBackRest ended with status {ended}."
    return Backups(
        running=ended == "running",
        error=error,
        taken=tuple(sorted(taken, key=lambda each: each.ended_at)),
        archived_at=archived,
        archive_fails=failed is not None and (archived is None or failed > archived),
        # Nothing is told of one that went with the container.
        interrupted=ended in ("unknown", NO_SERVER) or (ended == NO_ANSWER and "connection" in words),
        lost=bool(lost),
    )


def beat(connection: psycopg.Connection[Any], *, kept: bool) -> datetime:
    row: Any = connection.execute("UPDATE public.heartbeat SET at = clock_timestamp() RETURNING at").fetchone()
    if not kept:
        return row[0]  # type: ignore[no-any-return]
    deadline = time.monotonic() + PATIENCE
    _wait(connection, deadline, IS_PUT_AWAY)  # else each time that we ask would leave another part that waits
    connection.execute("SELECT pg_create_restore_point(%s)", [point(row[0])])
    part: Any = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    _wait(connection, deadline, "SELECT last_archived_wal >= %s FROM pg_stat_archiver", part[0])
    return row[0]  # type: ignore[no-any-return]


def write_last(connection: psycopg.Connection[Any]) -> bool:
    """Put away what the server wrote last; without a backup that it could go with, there is nothing to do."""
    if _told(connection, IS_BACKED_UP):
        beat(connection, kept=True)
    return True


def _wait(connection: psycopg.Connection[Any], deadline: float, until: LiteralString, *values: str) -> None:
    while not _told(connection, until, *values):
        if time.monotonic() > deadline:
            raise NotKept("What the database last wrote is not in the backup store yet.")
        time.sleep(LOOK)


def _told(connection: psycopg.Connection[Any], question: LiteralString, *values: str) -> bool:
    row: Any = connection.execute(question, values).fetchone()
    return bool(row[0])


def point(beat: datetime) -> str:
    """Return the name of the point in the log behind a heartbeat."""
    return f"heartbeat-{beat.timestamp():.6f}"


def _said(connection: psycopg.Connection[Any], program: str) -> list[str]:
    """Run one of the image's own scripts beside the server; return the lines that it writes."""
    connection.execute("CREATE TEMPORARY TABLE IF NOT EXISTS said (number serial, line text)")
    connection.execute("TRUNCATE said")
    # Quotes and delimiters that no line has: each comes as it is.
    try:
        connection.execute(
            f"COPY said (line) FROM PROGRAM '{program}' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"  # type: ignore[arg-type]
        )
    except errors.ExternalRoutineException as error:
        raise NotReady("The backup store does not answer.") from error
    return [line or "" for (line,) in connection.execute("SELECT line FROM said ORDER BY number").fetchall()]


def _taken(told: dict[str, Any]) -> Taken:
    return Taken(
        label=told["label"],
        full=told["type"] == "full",
        begun_at=datetime.fromtimestamp(told["timestamp"]["start"], UTC),
        ended_at=datetime.fromtimestamp(told["timestamp"]["stop"], UTC),
        size_bytes=told["info"]["repository"]["delta"],
    )
