"""Keeps the control plane's processes running in the foreground, and their log in one place."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from .settings import CHECKOUT
from .shell import HostError

GRACE_SECONDS = 12  # what a process has to finish what it does; a worker's work is adopted by the next
LONGEST_WAIT = 30.0
SETTLED_SECONDS = 60  # one that ran this long is started again at once
LOG_BYTES = 20 * 1024 * 1024


class Log:
    """The platform's log: a file of bounded size, and the terminal once it is ``shown``."""

    def __init__(self, file: Path) -> None:
        self.file, self.shown = file, False
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream = file.open("a", encoding="utf-8")

    def write(self, name: str, line: str) -> None:
        if self._stream.tell() > LOG_BYTES:
            self._stream.close()
            self.file.replace(self.file.with_suffix(".log.1"))
            self._stream = self.file.open("a", encoding="utf-8")
        self._stream.write(f"{name:>8} | {line}\n")
        self._stream.flush()
        if self.shown:
            print(f"{name:>8} | {line}", flush=True)


class Process:
    """One program that should always run."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name, self.command, self.environment = name, list(command), environment
        self.running: subprocess.Popen[bytes] | None = None
        self.started = self.due = 0.0
        self.failures = 0
        self.last: deque[str] = deque(maxlen=30)
        self.rest = b""

    def start(self) -> None:
        # The signal at our death: were we killed, a new start would find the old processes in its way.
        # A session of its own: Ctrl-C in the terminal is ours to pass on.
        self.running = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=CHECKOUT,
            start_new_session=True,
        )
        self.started = time.monotonic()

    def ended(self, status: int) -> float:
        """Note that it ended; return the seconds to wait before it is started again."""
        self.failures = 0 if time.monotonic() - self.started > SETTLED_SECONDS else self.failures + 1
        self.running = None
        wait = min(0.5 * 2**self.failures, LONGEST_WAIT) if self.failures else 0.0
        self.due = time.monotonic() + wait
        return wait


class Supervisor:
    """Starts all processes and starts again those that die, until it is told to stop."""

    def __init__(self, processes: Sequence[Process], log: Log) -> None:
        self.processes, self.log = processes, log
        self.error: BaseException | None = None
        self._selector = selectors.DefaultSelector()
        self._signals = 0

    def run(self, then: Callable[[], None]) -> None:
        """Supervise, calling ``then`` in a thread of its own; what that raises stops all and is raised here."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        thread = threading.Thread(target=self._guarded, args=(then,), daemon=True)
        thread.start()
        while not self._signals and not self.error:
            self._start_what_is_due()
            self._read(0.3)
            self._bury()
        self._stop()
        if self.error:
            raise self.error

    def broken(self) -> Process | None:
        """Return a process that dies again and again."""
        return next((process for process in self.processes if process.failures >= 3), None)

    def _guarded(self, then: Callable[[], None]) -> None:
        try:
            then()
        except BaseException as error:
            self.error = error

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _start_what_is_due(self) -> None:
        for process in self.processes:
            if process.running is None and time.monotonic() >= process.due:
                process.start()
                assert process.running and process.running.stdout
                os.set_blocking(process.running.stdout.fileno(), False)
                self._selector.register(process.running.stdout, selectors.EVENT_READ, process)

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, 65536)
            if not chunk:
                self._selector.unregister(key.fileobj)
            *lines, key.data.rest = (key.data.rest + chunk).split(b"\n")
            for line in lines:
                self._line(key.data, line)

    def _line(self, process: Process, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        process.last.append(text)
        self.log.write(process.name, text)

    def _bury(self) -> None:
        for process in self.processes:
            if process.running is None or (status := process.running.poll()) is None:
                continue
            self._drain(process)
            wait = process.ended(status)
            self.log.write("host", f"{process.name} ended with status {status}; it is started again in {wait:.0f} s.")

    def _drain(self, process: Process) -> None:
        """Take in what a dead process left, and close its pipe: a grandchild may hold the other end."""
        assert process.running and process.running.stdout
        pipe = process.running.stdout
        if pipe.fileno() in self._selector.get_map():
            self._selector.unregister(pipe)
            while chunk := self._read_now(pipe.fileno()):
                process.rest += chunk
        for line in filter(None, process.rest.split(b"\n")):
            self._line(process, line)
        process.rest = b""
        pipe.close()

    @staticmethod
    def _read_now(descriptor: int) -> bytes:
        try:
            return os.read(descriptor, 65536)
        except BlockingIOError:
            return b""

    def _stop(self) -> None:
        asked, end = self._signals, time.monotonic() + GRACE_SECONDS
        for child in self._alive():
            child.send_signal(signal.SIGTERM)
        while self._alive():
            self._read(0.1)
            if time.monotonic() > end or self._signals > max(asked, 1):  # a second Ctrl-C does not wait
                for child in self._alive():
                    child.kill()
                    child.wait()
        for process in self.processes:
            if process.running:
                self._drain(process)

    def _alive(self) -> list[subprocess.Popen[bytes]]:
        return [process.running for process in self.processes if process.running and process.running.poll() is None]


def wait_for(supervisor: Supervisor, ready: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Return when ``ready``; raise ``HostError`` with a process's last lines when it cannot become so."""
    end = time.monotonic() + seconds
    while not ready():
        if process := supervisor.broken():
            last = "\n".join(list(process.last)[-15:])
            raise HostError(f"The process {process.name} cannot run. Its last lines:\n{last}")
        if time.monotonic() > end:
            raise HostError(f"{what} does not answer after {seconds:.0f} s. The log is in {supervisor.log.file}.")
        time.sleep(0.2)
