"""Runs the broker of the guide as a process of its own, as the platform would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.lib import http
from paas.lib.http import Client
from services.brokers.osb import OsbBroker
from tests.cell.machine import ROOT

FOLDER = ROOT / "services/examples/broker"
USERNAME, PASSWORD = "platform", "open sesame"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[OsbBroker]:
    """Start it with its state in the folder, and give the way to it."""
    port = free_port()
    given = {
        "BROKER_USERNAME": USERNAME, "BROKER_PASSWORD": PASSWORD, "BROKER_KEY": "k" * 32, "PORT": str(port),
        "BROKER_STATE": str(folder / "boxes.sqlite"), "BROKER_SECONDS": "0.5",
        "VCAP_APPLICATION": f'{{"cf_api": "http://localhost", "application_uris": ["127.0.0.1:{port}"]}}',
    }  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "broker.py"], cwd=FOLDER, env={**os.environ, **given}, stdout=log, stderr=log
        )
    broker = OsbBroker(f"http://127.0.0.1:{port}", USERNAME, PASSWORD, ("127.0.0.0/8",))
    try:
        _wait(broker)
        yield broker
    finally:
        process.terminate()
        process.wait(10)


def _wait(broker: OsbBroker) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            Client(networks=broker.networks).call("GET", f"{broker.url}/v2/catalog")
            return
        except http.CallFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
