"""Apps that answer their health checks as slowly as they can hold up nobody."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from paas.cell.checks import passes
from paas.cell.exits import Exits
from paas.cell.health import Health, Watch
from paas.cell.instance import Check, Instance
from paas.cell.logs import Logs
from paas.cell.memory import Memory

HOME = "127.0.0.1"


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """An app on a port of this machine; each connection is answered in a thread of its own."""
    with socket.create_server((HOME, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def ok(connection: socket.socket) -> None:
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def drip(connection: socket.socket) -> None:
    with connection:
        for byte in b"HTTP/1.1 200 OK\r\n\r\n":
            time.sleep(0.3)
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return


def instance(number: int, check: dict) -> Instance:
    labels = {
        "paas.kind": "instance", "paas.app": "app", "paas.index": str(number), "paas.address": HOME,
        "paas.log_source": "APP/PROC/WEB", "paas.process": "web", "paas.health": json.dumps(check),
        "paas.readiness": json.dumps({"type": "process"}),
    }  # fmt: skip
    container = "/"  # which is in the name of every process's control group
    return Instance(f"guid-{number}", container, labels, status="running", pid=os.getpid(), started_at="now")


def watch(instance: Instance) -> Watch:
    return Watch(instance, instance.started_at, time.monotonic())


def test_a_check_ends_when_its_time_is_up_however_slowly_it_is_answered():
    with listening(drip) as port:
        check = Check(type="http", port=port, invocation_timeout=1)
        assert "timed out" in passes(check, instance(0, {}))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.0 503\r\n", "received status code 503"),
        (b"SSH-2.0\r\n", "the answer is not http"),
        (b"x" * 5000, "the answer is not http"),
        (b"", "the connection was closed without an answer"),
    ],
)
def test_an_answer_is_judged_by_its_first_line(answer, said):
    def reply(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    with listening(reply) as port:
        told = passes(Check(type="http", port=port, endpoint="/é\r\nX: y?a=b"), instance(0, {}))
        assert said in told and bool(told) is bool(said)


def test_instances_that_never_answer_hold_up_no_others_check(tmp_path):
    logs = Logs(tmp_path / "logs", max_bytes=1 << 20, max_age=1000)
    exits = Exits(None, logs, None, Memory(tmp_path / "memory.json"))  # type: ignore[arg-type]
    health = Health(exits, logs)
    over = threading.Event()

    def hang(connection: socket.socket) -> None:
        with connection:
            over.wait()

    with listening(hang) as stuck, listening(ok) as fine:
        slow = {"type": "http", "port": stuck, "invocation_timeout": 3600, "timeout": 3600}
        health.watches = {str(number): watch(instance(number, slow)) for number in range(40)}
        health.start()
        time.sleep(1)
        other = instance(99, {"type": "http", "port": fine})
        health.watches = {**health.watches, "other": watch(other)}
        end = time.monotonic() + 9
        while not other.healthy and time.monotonic() < end:
            time.sleep(0.05)
        health.watches = {}
        over.set()
        assert other.healthy
