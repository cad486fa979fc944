"""The thread that carries all output into the logs, and knows after a restart where it stood."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from .access import Access
from .feed import Feed
from .journal import Entry
from .logs import Logs
from .memory import replace_file

PAUSE = 0.15
CHECKPOINT_EVERY = 5.0
FULL_DISK_PAUSE = 1.0


class Collector(threading.Thread):
    def __init__(self, logs: Logs, checkpoint: Path, access_log: Path | None) -> None:
        super().__init__(name="collector", daemon=True)
        self.logs, self.checkpoint = logs, checkpoint
        self.feeds: dict[str, Feed] = {}
        self.changed = threading.Condition()
        self.passes = 0
        self.wanted = self.stopped = False
        self.problem = ""
        self.marks, accesses = self._recover()
        self.access = Access(access_log, accesses) if access_log else None
        self.saved_at = time.monotonic()

    def follow(self, container: str, path: Path, labels: Mapping[str, str]) -> None:
        """Begin with a container's output, or go on where the reading stood."""
        with self.changed:
            if container not in self.feeds:
                self.feeds[container] = Feed(container, path, labels, self.marks.get(container[:12]))

    def ended(self, container: str, at: int) -> None:
        """Its process ended: an unfinished line is not going on."""
        with self.changed:
            if feed := self.feeds.get(container):
                feed.joiner.ended = max(feed.joiner.ended, at)

    def drain(self, container: str, *, timeout: float = 20) -> None:
        """Return when everything that the container had written is stored."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while container in self.feeds and time.monotonic() < deadline:
                after = self.passes
                self.wanted = True
                self.changed.notify_all()
                self.changed.wait_for(lambda after=after: self.passes > after or self.stopped, timeout)
                if self.stopped or container not in self.feeds or self.feeds[container].idle:
                    return

    def unfollow(self, container: str) -> None:
        with self.changed:
            if feed := self.feeds.pop(container, None):
                feed.tail.close()
            self.marks.pop(container[:12], None)

    def last_lines(self, container: str, before: int, count: int = 20) -> list[str]:
        with self.changed:
            feed = self.feeds.get(container)
            return feed.last_lines(before, count) if feed else []

    def rate(self, container: str) -> int | None:
        feed = self.feeds.get(container)
        return feed.rate if feed else None

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.join(10)

    def run(self) -> None:
        while not self.stopped:
            with self.changed:
                more = self._pass()
                self.passes += 1
                self.changed.notify_all()
                if more:
                    self.changed.wait(0.001)  # gives way to who waits for the lock
                else:
                    pause = FULL_DISK_PAUSE if self.problem else PAUSE
                    self.changed.wait_for(lambda: self.wanted or self.stopped, pause)
                self.wanted = False
            if time.monotonic() - self.saved_at > CHECKPOINT_EVERY:
                self.save()
        self.save()

    def keep(self, containers: Collection[str]) -> None:
        """Forget where the reading of all other containers stood: they are gone."""
        known = {container[:12] for container in containers}
        with self.changed:
            self.marks = {key: mark for key, mark in self.marks.items() if key in known}

    def save(self) -> None:
        """Note where everything stands, so that a restart need not look through whole logs for it."""
        with self.changed:
            marks = {key: value.decode() for key, value in self.marks.items()}
            ends = {source: journal.end() for source, journal in self.logs.all().items()}
            accesses = self.access.positions() if self.access else {}
        replace_file(self.checkpoint, json.dumps({"marks": marks, "ends": ends, "accesses": accesses}))
        self.saved_at = time.monotonic()

    def _pass(self) -> bool:
        """Carry what is there; return whether there may be more at once."""
        taken: defaultdict[str, list[tuple[Feed, list[Entry]]]] = defaultdict(list)
        again, problems = False, []
        for feed in self.feeds.values():
            try:
                entries, more = feed.take()
            except Exception as error:  # a damaged file must not silence all the others
                problems.append(f"The output of {feed.key.decode()} cannot be read: {error!r}.")
                feed.back()
                continue
            again |= more
            if entries:
                taken[feed.source].append((feed, entries))
        problems += [self._store(source, feeds) for source, feeds in taken.items()]
        if self.access:
            try:
                again |= self.access.carry(self.logs)
            except OSError as error:
                problems.append(f"Access lines cannot be written: {error}.")
        self.problem = next((problem for problem in problems if problem), "")
        return again and not self.problem

    def _store(self, source: str, feeds: list[tuple[Feed, list[Entry]]]) -> str:
        """Put the lines into the log; return "", or why they could not be and will be read again."""
        lines = feeds[0][1]
        if len(feeds) > 1:
            lines = sorted((line for _, some in feeds for line in some), key=lambda line: line[0])
        try:
            self.logs.append(source, lines, b";".join(feed.mark() for feed, _ in feeds))
        except (OSError, ValueError) as error:
            for feed, _ in feeds:
                feed.back()
            return f"The log of {source} cannot be written: {error}."
        for feed, entries in feeds:
            feed.commit(entries)
            self.marks[feed.key.decode()] = feed.mark().partition(b"=")[2]
        return ""

    def _recover(self) -> tuple[dict[str, bytes], dict[str, str]]:
        """Return each container's mark, and each source's position in the access log ("" is the whole log's)."""
        stored = json.loads(self.checkpoint.read_text()) if self.checkpoint.exists() else {}
        marks = {key: value.encode() for key, value in stored.get("marks", {}).items()}
        accesses: dict[str, str] = stored.get("accesses", {})
        ends = stored.get("ends", {})
        for source, journal in self.logs.all().items():
            after, offset = ends.get(source, ("", 0))
            for mark in journal.marks(after=after, offset=offset):
                for each in mark.split(b";"):
                    key, _, value = each.partition(b"=")
                    if key == b"access":
                        accesses[source] = value.decode()
                    else:
                        marks[key.decode()] = value
        return marks, accesses
