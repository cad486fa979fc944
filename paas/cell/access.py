"""Carries the router's access log into the logs of the apps that were asked, in Cloud Foundry's format."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .engine import post_over
from .journal import Entry
from .logs import NAME, Logs, entry
from .position import Position
from .tail import Tail

ROTATE_BYTES = 32 << 20


class Access:
    """One file for many logs. ``done`` holds, per log, up to where it already has its lines, after a failure or restart."""

    def __init__(self, path: Path, positions: dict[str, str]) -> None:
        self.path = path
        begun = positions.get("")
        self.tail = Tail(path, Position.decode(begun.encode()) if begun else None)
        self.done = {source: Position.decode(text.encode()) for source, text in positions.items() if source}
        present = self.tail.inodes()
        self.done = {source: position for source, position in self.done.items() if position.inode in present}

    def carry(self, logs: Logs) -> bool:
        """Store what is new; return whether there may be more at once; raise ``OSError`` where the disk is full."""
        before = self.tail.position()
        chunk, more = self.tail.take()
        after = self.tail.position()
        for source, entries in self._by_source(chunk, after.offset - len(chunk)).items():
            try:
                logs.append(source, entries, b"access=" + after.encode())
            except OSError:
                self.tail.back(before)
                raise
            self.done[source] = after
        self.done = {key: at for key, at in self.done.items() if at.inode != after.inode or at.offset > after.offset}
        return more

    def positions(self) -> dict[str, str]:
        return {"": self.tail.position().encode().decode()} if self.tail.file >= 0 else {}

    def rotate(self) -> None:
        """Start a new file when this one is big. What was not carried yet is carried from the old one."""
        if not self.path.exists() or self.path.stat().st_size < ROTATE_BYTES:
            return
        if self.path.stat().st_ino != self.tail.inode:
            return  # the file before this one is not read to its end yet
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        post_over(self.path.with_name("admin.sock"), "/reopen_logs")

    def _by_source(self, chunk: bytes, offset: int) -> dict[str, list[Entry]]:
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for line in chunk.splitlines(keepends=True):
            offset += len(line)
            try:
                request = json.loads(line)
                source, entry_ = str(request.get("app") or ""), access_entry(request)
            except (ValueError, KeyError, AttributeError):
                continue  # torn by a full disk while the router wrote it
            if NAME.fullmatch(source) and not self._has(source, offset):
                found[source].append(entry_)
        return found

    def _has(self, source: str, end: int) -> bool:
        done = self.done.get(source)
        if done is None:
            return False
        # A position in another file is in a newer one: positions are never older than where the reading began.
        return done.inode != self.tail.inode or end <= done.offset


def access_entry(request: dict[str, Any]) -> Entry:
    at = int(datetime.fromisoformat(request["time"]).astimezone(UTC).timestamp() * 1000) * 10**6
    return entry(at, "RTR", "0", "OUT", access_line(request))


def access_line(request: dict[str, Any]) -> str:
    """Return the line as ``cf logs`` shows it; what is not known is "-"."""

    def field(name: str) -> str:
        value = request.get(name)
        return "-" if value in (None, "") else str(value).replace('"', "'")

    duration = request.get("duration_ms")
    seconds = f"{int(duration) / 1000:.6f}" if duration is not None else "-"
    return (
        f'{field("host")} - [{field("time")}] "{field("method")} {field("path")} {field("protocol")}" '
        f"{field('status')} {field('bytes_in')} {field('bytes_out')} "
        f'"{field("referer")}" "{field("user_agent")}" "{field("downstream")}" "{field("upstream")}" '
        f'x_forwarded_for:"{field("forwarded_for")}" vcap_request_id:"{field("vcap_request_id")}" '
        f'response_time:{seconds} app_id:"{field("app")}" app_index:"{field("index")}" '
        f'instance_id:"{field("instance")}" x_cf_routererror:"{field("flags")}"'
    )
