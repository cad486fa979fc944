"""What the router's tests stand on: small real backends, a running Envoy, and one way to ask either router."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from paas.host.network import free_ports
from paas.seams.routers.admin import Admin
from paas.seams.routers.base import Endpoint, Route, Routes, Target
from paas.seams.routers.bootstrap import command, wait_until_serving, write_bootstrap
from paas.seams.routers.envoy import EnvoyRouter
from paas.seams.routers.fake import FakeRouter
from paas.seams.routers.folder import Folder
from paas.seams.routers.front import Console, Listen

DOMAIN = "platform.test"
APPS = "apps.test"


def wait_until(done: Callable[[], Any], what: str, *, seconds: float = 30) -> Any:
    """Return the first true answer; fail with ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := done():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"After {seconds} seconds still waiting until {what}.")


def free_port() -> int:
    return free_ports(1)[0]


class _Handler(BaseHTTPRequestHandler):
    """Tells its own name and what it was sent; some paths do more."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Backend

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        special = {"/events": self._events, "/socket": self._upgrade, "/status": self._status}.get(path)
        special() if special else self._tell({})

    def do_POST(self) -> None:
        size = 0
        while chunk := self._chunk(size):
            size += chunk
            self.server.received = size
        self._tell({"size": size})

    do_PUT = do_POST

    def log_message(self, *_: object) -> None:
        pass

    def _chunk(self, size: int) -> int:
        left = int(self.headers.get("Content-Length", "0")) - size
        return len(self.rfile.read1(min(left, 65536))) if left > 0 else 0

    def _tell(self, more: dict[str, Any]) -> None:
        self.server.served += 1
        told = {"name": self.server.name, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
        content = json.dumps(told | more).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if "/session" in self.path:
            self.send_header("Set-Cookie", "JSESSIONID=1; HttpOnly")
        self.end_headers()
        self.wfile.write(content)

    def _status(self) -> None:
        self.send_response(int(self.path.partition("?")[2]))
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"my answer")

    def _events(self) -> None:
        """Send one event each time the test says so."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(3):
            self.server.next_event.acquire(timeout=30)
            event = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _upgrade(self) -> None:
        """Speak anything but HTTP from here on: here, an echo."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.end_headers()
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True


class Backend(ThreadingHTTPServer):
    """One instance of an app, on a loopback port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str, *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.name = name
        self.served = 0
        self.received = 0
        self.next_event = threading.Semaphore(0)
        self._open: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        pass  # a client that goes away is part of the tests

    def stop(self) -> None:
        """Go at once, as a killed process does, connections and all."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed meanwhile

    def endpoint(self, index: int = 0) -> Endpoint:
        return Endpoint(instance=self.name, index=index, address="127.0.0.1", port=self.server_address[1])


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def instance(self) -> str:
        return self.told["name"] if self.status == 200 else ""


class RunningEnvoy:
    """A real Envoy with its state in a short-named folder of its own."""

    def __init__(self, *, console_port: int = 1, **listen: Any) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="router-"))  # a socket's path may have 107 bytes only
        self.folder = Folder.of(self.state)
        self.port = free_port()
        self.console = Console(domain=DOMAIN, apps_domain=APPS, port=console_port)
        self.listen = Listen(port=self.port, address="127.0.0.1", **listen)
        write_bootstrap(self.state, self.listen, self.console)
        self.admin = Admin(self.folder.admin)
        self.router = EnvoyRouter(state=self.state)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(command(self.state), stderr=subprocess.DEVNULL)
        wait_until_serving(self.state)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.state)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        connection = self.connect()
        if tls:
            connection.sock = tls.wrap_socket(
                socket.create_connection(("127.0.0.1", self.port), timeout=30), server_hostname=host
            )
        try:
            connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            found = {key.lower(): value for key, value in answer.getheaders()}
            return Answer(status=answer.status, body=answer.read(), headers=found)
        finally:
            connection.close()

    def access_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.folder.access_log.read_text().splitlines()]

    def memory(self) -> int:
        """Return the resident bytes of the process."""
        assert self.process
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class FakeAsked:
    """The fake router, asked in the same words as a running Envoy."""

    def __init__(self) -> None:
        self.console = Console(domain=DOMAIN, apps_domain=APPS, port=1)
        self.router = FakeRouter(console_hosts=self.console.hosts)

    def ask(self, host: str, path: str = "/") -> Answer:
        route = self.router.find(host, path)
        endpoint = self.router.pick(route) if route else None
        if not endpoint:
            return Answer(status=503 if route else 404, body=b"", headers={})
        return Answer(status=200, body=json.dumps({"name": endpoint.instance}).encode(), headers={})

    def remove(self) -> None:
        pass


def target(app: str, *backends: Backend, weight: int = 1) -> Target:
    endpoints = tuple(backend.endpoint(index) for index, backend in enumerate(backends))
    return Target(app=app, weight=weight, endpoints=endpoints)


def route(host: str, *targets: Target, path: str = "", balancing: str = "round-robin") -> Route:
    return Route(guid=f"{host}{path}", host=host, path=path, targets=targets, balancing=balancing)


def routes(version: int, *found: Route) -> Routes:
    return Routes(version=version, routes=found)
