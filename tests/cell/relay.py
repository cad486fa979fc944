"""Stands between the agent and the engine, so that the engine can go away without stopping everybody's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cell.machine import Machine

ENGINE = "/var/run/docker.sock"


class Relay:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()

    def open(self) -> None:
        self.path.unlink(missing_ok=True)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(self.path))
        self.server.listen()
        self.links: list[socket.socket] = []
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def close(self) -> None:
        """Cut every connection and refuse new ones, as an engine does that is stopped."""
        self.path.unlink(missing_ok=True)
        for each in (self.server, *self.links):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server.close()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            far.connect(ENGINE)
            self.links += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    made = Relay(tmp_path / "engine.sock")
    yield made
    made.close()


@pytest.fixture
def relayed(tmp_path: Path, relay: Relay) -> Iterator[Machine]:
    """A machine whose agent has the engine behind the relay."""
    made = Machine(tmp_path / "state", docker_socket=str(relay.path))
    try:
        made.start_agent()
        yield made
    finally:
        made.close()
