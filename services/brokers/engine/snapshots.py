"""Snapshots with rclone: a keeper beside the server writes them by itself to the depot, encrypted, and is asked over TLS."""

from __future__ import annotations

import hashlib
import json
import shlex
import ssl
import time
from datetime import UTC, datetime
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from .base import BackedUp, Backups, Json, NotAllowed, NotKept, NotReady, Site, Size, Taken, Wanted
from .depot import Bucket, Depot

PORT = 7443  # that nobody but the platform reaches
STORE = "/var/lib/snapshots"
SCRIPTS = "/usr/local/lib/paas"
SECONDS = 20  # for an answer
PATIENCE, LOOK = 10.0, 0.2  # seconds
PARTS = 5000  # of one snapshot in a bucket, which takes 10,000 at most
LEAST_PART_MB = 5
RESTORE = {
    "restore_from_latest_snapshot_of": {
        "type": "string",
        "description": "The GUID of an instance whose newest backup this one begins with.",
    },
    "restore_from_latest_snapshot_before": {
        "type": "string",
        "description": "Then its newest backup from before this time, like 2026-03-31 14:05:00 (UTC).",
    },
}


class Snapshots(BackedUp):
    """A server that is backed up whole, each time: it can be restored as it was then, and at no time in between."""

    store, restore, prove = STORE, f"exec {SCRIPTS}/restore", f"exec {SCRIPTS}/restore prove"

    def back_up(self, site: Site, *, full: bool) -> None:
        _ask(site, "POST", "/")

    def backups(self, site: Site) -> Backups:
        told = _ask(site, "GET", "/")
        return Backups(
            running=told["running"],
            error=told["error"],
            taken=tuple(_taken(each) for each in told["taken"]),
            archived_at=None,
            archive_fails=False,
            interrupted=not told["error"],
        )

    def beat(self, site: Site, *, kept: bool = False) -> datetime:
        """Each snapshot has a heartbeat of its own, from when it was begun; between them there is none to write."""
        if not kept:
            return datetime.now(UTC)
        taken = self.backups(site).taken
        if not taken:
            raise NotReady("There is no backup yet.")
        return taken[-1].begun_at

    def write_last(self, site: Site) -> bool:
        try:
            return _ask(site, "POST", "/last") is not None
        except NotKept as error:
            self.backups(site)  # which fails too where the store is what does not answer
            raise NotAllowed(f"No last backup can be taken. {error.detail}") from error


def files(depot: Depot, size: Size) -> dict[str, str]:
    """Return what the container's keeper is given."""
    program = Path(__file__).with_name("keeper.py").read_text()
    return {**_settings(depot, size), "keeper.py": program, "keeper-token": _token(depot)}


def restore_files(source: Depot, size: Size, wanted: Wanted) -> dict[str, str]:
    return {**_settings(source, size), "snapshot": wanted.backup}


def _settings(depot: Depot, size: Size) -> dict[str, str]:
    """Return rclone's settings as what a shell reads: the depot is what lies there, encrypted."""
    place = {"RCLONE_CONFIG": "/dev/null", **(_in_bucket(depot.bucket, size) if depot.bucket else {})}
    place |= {
        "RCLONE_CONFIG_DEPOT_TYPE": "crypt",
        "RCLONE_CONFIG_DEPOT_REMOTE": f"bucket:{depot.bucket.name}/{depot.bucket.prefix}" if depot.bucket else STORE,
        "RCLONE_CONFIG_DEPOT_FILENAME_ENCRYPTION": "off",
        "RCLONE_CONFIG_DEPOT_DIRECTORY_NAME_ENCRYPTION": "false",
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in place.items()]
    secret = f"$(printf %s {shlex.quote(depot.cipher)} | rclone obscure -)"
    return {"depot.env": "\n".join([*lines, f"RCLONE_CONFIG_DEPOT_PASSWORD={secret}", ""])}


def _in_bucket(bucket: Bucket, size: Size) -> dict[str, str]:
    given = {
        "TYPE": "s3",
        "PROVIDER": "Other" if bucket.endpoint else "AWS",
        "ENDPOINT": bucket.endpoint,
        "REGION": bucket.region,
        "FORCE_PATH_STYLE": "true" if bucket.endpoint else "",
        "ACCESS_KEY_ID": bucket.access_key,
        "SECRET_ACCESS_KEY": bucket.secret_key,
        "SESSION_TOKEN": bucket.token,
        "NO_CHECK_BUCKET": "true",
        "UPLOAD_CONCURRENCY": "1",
        "CHUNK_SIZE": f"{max(LEAST_PART_MB, size.disk_mb // PARTS)}M",
    }
    named = {f"RCLONE_CONFIG_BUCKET_{name}": value for name, value in given.items() if value}
    return {**named, "RCLONE_CA_CERT": bucket.ca_file, "RCLONE_CONTIMEOUT": "10s", "RCLONE_TIMEOUT": "60s"}


def _ask(site: Site, method: str, path: str) -> Any:
    """Return what the keeper tells, None while it is at work on it; raise ``NotReady``, or ``NotAllowed`` where it failed."""
    if site.depot is None:
        raise NotAllowed("This instance has no backups.")
    context = ssl.create_default_context(cafile=str(site.authority))
    connection = HTTPSConnection(site.address, PORT, timeout=SECONDS, context=context)
    try:
        _connect(connection)
        connection.request(method, path, headers={"Authorization": f"Bearer {_token(site.depot)}"})
        answer = connection.getresponse()
        told: Json = json.loads(answer.read() or b"{}")
    except (OSError, HTTPException, ValueError) as error:
        raise NotReady(f"What takes the backups does not answer yet: {error}") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise NotKept(f"The backup store does not answer: {told.get('error', answer.reason)}")
    return told if answer.status == 200 else None


def _connect(connection: HTTPSConnection) -> None:
    """It begins with the server, and is there a moment after it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.connect()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK)


def _token(depot: Depot) -> str:
    return hashlib.sha256(f"keeper {depot.cipher}".encode()).hexdigest()


def _taken(told: Json) -> Taken:
    begun, ended = (datetime.fromisoformat(told[name]) for name in ("begun_at", "ended_at"))
    return Taken(label=told["label"], full=True, begun_at=begun, ended_at=ended, size_bytes=told["size_bytes"])
