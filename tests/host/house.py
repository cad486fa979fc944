"""An install of its own, driven the way the Makefile does, and removed after."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from paas.host import network
from paas.host.settings import CHECKOUT

ADMIN = {"PAAS_ADMIN_EMAIL": "root@example.org", "PAAS_ADMIN_PASSWORD": "correct horse battery"}
READY = "make stop` stops everything"  # the end of the closing block


class House:
    """An install of its own, driven the way the Makefile does."""

    def __init__(self, state: Path, **settings: str) -> None:
        self.state, self.port = state, network.free_ports(1)[0]
        self.output = state.with_suffix(".out")
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(("PAAS_", "DATABASE_", "REDIS_"))
        }
        self.environment = {**ours, "PAAS_STATE": str(state), "PAAS_PORT": str(self.port), **ADMIN, **settings}
        self.running: subprocess.Popen[bytes] | None = None

    @classmethod
    def new(cls, name: str, **settings: str) -> House:
        # Not under /tmp, which is memory on some machines: disks of instances are files in here.
        return cls(Path(tempfile.mkdtemp(prefix=f"paas-{name}-", dir="/var/tmp")), **settings)

    def start(self) -> str:
        """Start in the background; return what was printed when the closing block is there."""
        with self.output.open("wb") as output:
            self.running = subprocess.Popen(
                self._command("run"), cwd=CHECKOUT, env=self.environment, stdout=output, stderr=output
            )
        end = time.monotonic() + 900
        while READY not in (said := self.output.read_text()):
            assert self.running.poll() is None, f"It ended with status {self.running.returncode}:\n{said}"
            assert time.monotonic() < end, f"It is not ready:\n{said}"
            time.sleep(0.2)
        return said

    def interrupt(self) -> int:
        assert self.running
        self.running.send_signal(signal.SIGINT)
        return self.running.wait(60)

    def do(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(self._command(command), cwd=CHECKOUT, env=environment, capture_output=True, text=True)

    def fetch(self, host: str, path: str = "/") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={"Host": f"{host}:{self.port}", "Accept": "text/html"})
        response = connection.getresponse()
        return response.status, response.read()

    def remove(self) -> None:
        if self.running and self.running.poll() is None:
            self.running.kill()
            self.running.wait()
        self.do("clean", YES="1")
        shutil.rmtree(self.state, ignore_errors=True)
        self.output.unlink(missing_ok=True)

    @staticmethod
    def _command(command: str) -> list[str]:
        return [sys.executable, "-m", "paas.host", command]
