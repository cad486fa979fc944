"""The service that the broker offers: boxes of texts, in a database file; and what the broker remembers of them."""

from __future__ import annotations

import hmac
import json
import os
import sqlite3
import threading
import time
from typing import Any

KEY = os.environ["BROKER_KEY"].encode()  # tokens of bindings are derived from it
MOST = {"box-small-0b7d": 10, "box-large-55a2": 1000}  # texts, by plan

# Instances and bindings are kept in one table: ``parent`` is a binding's instance. ``asked`` is what was asked for, so
# that the same request twice is told from another one with the same id.
TABLES = """
CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, parent TEXT, asked TEXT, ready_at REAL);
CREATE TABLE IF NOT EXISTS texts (box TEXT, name TEXT, text TEXT, PRIMARY KEY (box, name));
"""
lock = threading.Lock()  # one request at a time: each is seen by the next as done or not done
database = sqlite3.connect(
    os.environ.get("BROKER_STATE", "boxes.sqlite"), check_same_thread=False, isolation_level=None
)
database.executescript(TABLES)


def found(guid: str) -> dict[str, Any] | None:
    row = database.execute("SELECT parent, asked, ready_at FROM things WHERE id = ?", [guid]).fetchone()
    return row and {"parent": row[0], "asked": json.loads(row[1]), "ready": row[2] <= time.time()}


def keep(guid: str, parent: str | None, asked: dict[str, Any], ready_at: float) -> None:
    values = [guid, parent, json.dumps(asked), ready_at]
    database.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?)", values)


def plan_of(box: str) -> str:
    row = database.execute("SELECT asked FROM things WHERE id = ?", [box]).fetchone()
    return str(json.loads(row[0])["plan_id"])


def count(box: str) -> int:
    return int(database.execute("SELECT count(*) FROM texts WHERE box = ?", [box]).fetchone()[0])


def remove(guid: str) -> None:
    """Forget a binding, or a box with all that is in it."""
    database.execute("DELETE FROM texts WHERE box = ?", [guid])
    database.execute("DELETE FROM things WHERE id = ? OR parent = ?", [guid, guid])


def token(binding: str) -> str:
    """Derived, so that the same binding has the same one each time, and none is stored."""
    return f"{binding}.{hmac.new(KEY, binding.encode(), 'sha256').hexdigest()}"


def serve(method: str, box: str, name: str, sent: bytes, bearer: str) -> tuple[int, bytes]:
    """Read, write or delete a text, for whoever shows the token of a binding of that box."""
    binding = bearer.removeprefix("Bearer ").partition(".")[0]
    there = found(binding)
    if not there or there["parent"] != box or not same(bearer, f"Bearer {token(binding)}"):
        return 401, b"The token is not one of this box (any more).\n"
    row = database.execute("SELECT text FROM texts WHERE box = ? AND name = ?", [box, name]).fetchone()
    if method == "GET":
        return (200, row[0].encode()) if row else (404, b"There is no such text.\n")
    if method == "DELETE":
        database.execute("DELETE FROM texts WHERE box = ? AND name = ?", [box, name])
        return 200, b""
    if row is None and count(box) >= MOST[plan_of(box)]:
        return 409, b"The box is full.\n"
    database.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", [box, name, sent.decode(errors="replace")])
    return 200, b""


def same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
