"""A body that is too large is refused before it is read, whichever way it comes."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from rest_framework.test import APIClient

from accounts.models import User
from paas.lib.intake import AROUND, Handler, Spool, Window
from tests.apps.archives import upload

Api = Callable[[User], APIClient]


class Sender:
    """An ASGI server's side: sends pieces while it is asked for them, then waits until the answer is there."""

    def __init__(self, pieces: int, piece: bytes = bytes(1 << 20)) -> None:
        self.left, self.piece, self.taken = pieces, piece, 0
        self.answer: list[dict[str, Any]] = []
        self.done = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.left == 0:
            await self.done.wait()
            return {"type": "http.disconnect"}
        self.left, self.taken = self.left - 1, self.taken + len(self.piece)
        return {"type": "http.request", "body": self.piece, "more_body": self.left > 0}

    async def send(self, message: dict[str, Any]) -> None:
        self.answer.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.done.set()

    def status(self) -> int:
        return self.answer[0]["status"]

    def error(self) -> dict[str, Any]:
        return json.loads(self.answer[1]["body"])["errors"][0]


def call(sender: Sender, **headers: str) -> Sender:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": "/v3/packages/x/upload", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"localhost"), *named], "scheme": "http", "server": ("localhost", 80),
    }  # fmt: skip

    async def run() -> None:
        await asyncio.wait_for(Handler()(scope, sender.receive, sender.send), 30)

    asyncio.run(run())
    return sender


@pytest.fixture(autouse=True)
def small(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload limit of 1 MiB; the entry sets where temporary files go, and that is put back."""
    settings.PAAS_UPLOAD_LIMIT = 1 << 20
    settings.PAAS_STATE = tmp_path
    monkeypatch.setattr("tempfile.tempdir", None)


def test_an_upload_that_says_it_is_too_large_is_not_read() -> None:
    sender = call(Sender(4000), content_type="multipart/form-data; boundary=x", content_length=str(4000 << 20))
    assert sender.status() == 413
    assert sender.error()["title"] == "CF-AppBitsUploadInvalid"
    assert "larger than 1 MB" in sender.error()["detail"]


def test_an_upload_that_does_not_say_is_counted() -> None:
    sender = call(Sender(AROUND // (1 << 20) + 3), content_type="multipart/form-data; boundary=x")
    assert (sender.status(), sender.error()["title"]) == (413, "CF-AppBitsUploadInvalid")


def test_any_other_body_may_not_be_large_either() -> None:
    sender = call(Sender(20), content_type="application/json")
    assert (sender.status(), sender.error()["title"]) == (413, "CF-BadRequest")


@pytest.mark.django_db
def test_a_body_in_pieces_arrives_whole() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="bits"; filename="a"\r\n\r\n0\r\n--x--\r\n'
    sender = call(Sender(1, body), content_type="multipart/form-data; boundary=x")
    assert sender.status() == 401  # it was understood, and nobody is signed in


def test_a_request_that_says_it_is_too_large_is_refused_at_every_entry(api: Api, alice: User) -> None:
    reply = api(alice).post("/v3/apps", data=b"{}", content_type="application/json", CONTENT_LENGTH=str(1 << 30))
    assert reply.status_code == 413


def test_the_files_of_a_request_share_one_file() -> None:
    factory = RequestFactory()
    files = [upload(os.urandom(size)) for size in (0, 1, 100_000)]
    contents = [file.read() for file in files]
    for file in files:
        file.seek(0)
    request: WSGIRequest = factory.post("/", {"files": files})
    request.upload_handlers = [Spool(request)]
    came = request.FILES.getlist("files")
    assert [file.read() for file in came] == contents
    assert len({file.file.raw._file.fileno() for file in came}) == 1


def test_a_window_reads_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(b"0123456789")
    with (tmp_path / "whole").open("rb") as whole:
        window = io.BufferedReader(Window(whole, 2, 5))
        assert window.read() == b"23456"
        assert (window.seek(-2, os.SEEK_END), window.read(9)) == (3, b"56")
        assert (window.seek(1), window.read(2), window.tell()) == (1, b"34", 3)
        with pytest.raises(OSError, match="before the start"):
            window.seek(-9, os.SEEK_CUR)
