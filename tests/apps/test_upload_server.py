"""Uploads and downloads through the real server: never whole in memory, and nothing left of one that was cut off."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection

from accounts import actions as accounts
from accounts.models import User
from apps.actions import push
from apps.models import App
from paas.host.network import free_ports
from tenants.actions import departure
from tests.apps.archives import SOURCE, zipped

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SIZE_MB = 256
ROOM_MB = 96  # what the server's memory may grow by


@dataclass
class Server:
    port: int
    pid: int
    headers: dict[str, str]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def most_memory_mb(self) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


@pytest.fixture
def server(alice: User, tmp_path: Path) -> Iterator[Server]:
    (port,) = free_ports(1)
    database = connection.settings_dict
    login = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{login}/{database['NAME']}",
        "PAAS_STATE": str(tmp_path),
        "PAAS_SECRET_KEYS": ",".join(settings.PAAS_SECRET_KEYS),
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "uvicorn", "paas.asgi:application", "--port", str(port), "--lifespan", "off"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment) as process:
        try:
            _row, token = accounts.create_api_token(alice, name="test")
            made = Server(port, process.pid, {"Authorization": f"bearer {token}"})
            wait_for(made)
            yield made
        finally:
            process.terminate()


def wait_for(server: Server) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            requests.get(server.url("/v3/packages"), headers=server.headers, timeout=30).raise_for_status()
            return
        except requests.ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def test_a_large_upload_and_its_download_go_by_in_pieces(server: Server, alice: User, app: App, tmp_path: Path) -> None:
    package = push.create_package(alice, app)
    large, back = tmp_path / "large.zip", tmp_path / "back.zip"
    with zipfile.ZipFile(large, "w") as archive, archive.open("data.bin", "w") as data:
        for _ in range(SIZE_MB):
            data.write(os.urandom(1 << 20))
    before = server.most_memory_mb()

    path, name = f"/v3/packages/{package.guid}", f"bits=@{large};filename=package.zip"
    bearer = f"Authorization: {server.headers['Authorization']}"
    curl = ["curl", "--silent", "--show-error", "--fail", "--header", bearer]
    subprocess.run([*curl, "--form", name, server.url(f"{path}/upload")], check=True, capture_output=True)
    package.refresh_from_db()
    assert package.state == "READY"
    subprocess.run([*curl, "--output", str(back), server.url(f"{path}/download")], check=True)
    assert back.stat().st_size == large.stat().st_size
    assert subprocess.run(["cmp", str(large), str(back)], check=False).returncode == 0
    assert server.most_memory_mb() - before < ROOM_MB
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_upload_whose_sender_goes_away_leaves_nothing(server: Server, alice: User, app: App, tmp_path: Path) -> None:
    package = push.create_package(alice, app)
    head = (
        f"POST /v3/packages/{package.guid}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {64 << 20}\r\n"
        f"Authorization: {server.headers['Authorization']}\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="bits"; filename="a.zip"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.sendall(head.encode() + bytes(8 << 20))
    reply: Any = requests.get(server.url(f"/v3/packages/{package.guid}"), headers=server.headers, timeout=30)
    assert reply.json()["state"] == "AWAITING_UPLOAD"  # it can be tried anew
    assert list((tmp_path / "uploads").iterdir()) == []


def test_an_upload_is_refused_if_the_role_goes_before_its_end(
    server: Server, alice: User, dora: User, app: App, tmp_path: Path
) -> None:
    package = push.create_package(alice, app)
    bits = zipped(SOURCE)
    part = b'--x\r\nContent-Disposition: form-data; name="bits"; filename="a.zip"\r\n\r\n'
    body = part + bits.read() + b"\r\n--x--\r\n"
    head = (
        f"POST /v3/packages/{package.guid}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: {server.headers['Authorization']}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.sendall(head.encode() + body[:-20])
        time.sleep(1)  # the server has begun to read
        departure.leave(dora, alice, organization=app.space.organization)
        sender.sendall(body[-20:])
        answer = sender.makefile("rb").readline()
    assert b" 404 " in answer or b" 403 " in answer
    package.refresh_from_db()
    assert package.state == "AWAITING_UPLOAD"
    assert list((tmp_path / "uploads").iterdir()) == []
