"""Takes request bodies in: none larger than it may be, and what is large goes to the platform's own disk."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse

from paas.lib.errors import PaasError, UploadInvalid
from paas.lib.v3.door import error_body
from paas.lib.web import error_page, wants_html

AROUND = 32 << 20  # bytes of an upload's body that are not the file: names, boundaries, resources
REFUSED = "paas.refused"  # in an ASGI scope: the body was too large and was not read
NOTHING_MORE = {"type": "http.request", "body": b"", "more_body": False}
Receive = Callable[[], Awaitable[Any]]


class UploadTooLarge(UploadInvalid):
    status = 413

    def __init__(self) -> None:
        most = settings.PAAS_UPLOAD_LIMIT >> 20
        super().__init__(f"The upload is larger than {most} MB. Leave out what the build can fetch by itself.")


class BodyTooLarge(PaasError):
    status, code, title = 413, 1004, "BadRequest"
    default = "The request's body is larger than anything that is understood here."


def is_upload(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/")


def most_bytes(content_type: str) -> int:
    """How large a body may be: an upload as the limit says, anything else what fits into memory."""
    return settings.PAAS_UPLOAD_LIMIT + AROUND if is_upload(content_type) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def folder() -> Path:
    """Where uploads wait; files in it have no name, so that nothing is left of a process that dies."""
    found: Path = settings.PAAS_STATE / "uploads"
    found.mkdir(parents=True, exist_ok=True)
    return found


class Handler(ASGIHandler):
    """Django's entry; bodies are counted while they come in, and one that came in pieces gets a length."""

    def __init__(self) -> None:
        super().__init__()
        tempfile.tempdir = str(folder())  # where Django puts bodies

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        if scope["type"] == "http":
            scope = {**scope, REFUSED: False}
            receive = _metered(scope, receive)
        await super().__call__(scope, receive, send)

    def create_request(self, scope: dict[str, Any], body_file: Any) -> Any:
        headers = scope["headers"]
        if all(name != b"content-length" for name, _ in headers):
            body_file.seek(0, os.SEEK_END)
            scope["headers"] = [*headers, (b"content-length", str(body_file.tell()).encode())]
            body_file.seek(0)
        return super().create_request(scope, body_file)


def _metered(scope: dict[str, Any], receive: Receive) -> Receive:
    """Wrap ``receive``: a body that is too large ends at once, and what still comes of it is dropped."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    most, taken = most_bytes(headers.get(b"content-type", "")), 0
    length = headers.get(b"content-length", "")

    async def metered() -> Any:
        nonlocal taken
        if not scope[REFUSED] and length.isdigit() and int(length) > most:
            scope[REFUSED] = True
            return NOTHING_MORE
        message = await receive()
        while scope[REFUSED] and message["type"] == "http.request":
            message = await receive()
        taken += len(message.get("body", b""))
        if scope[REFUSED] or taken <= most:
            return message
        scope[REFUSED] = True
        return NOTHING_MORE

    return metered


class BodyLimit:
    """Answers for a body that was too large, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        kind, length = request.META.get("CONTENT_TYPE", ""), str(request.META.get("CONTENT_LENGTH") or "")
        refused = getattr(request, "scope", {}).get(REFUSED, False)
        if not refused and not (length.isdigit() and int(length) > most_bytes(kind)):
            return None
        error = UploadTooLarge() if is_upload(kind) else BodyTooLarge()
        if wants_html(request):
            return error_page(request, error)
        return JsonResponse(error_body(error), status=error.status)


class Spool(FileUploadHandler):
    """Keeps all files of a request in one nameless file: a folder of thousands takes one descriptor."""

    _spool: BinaryIO | None = None
    _start = _end = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._spool = self._spool or tempfile.TemporaryFile(dir=folder())  # type: ignore[assignment]  # noqa: SIM115
        self._start = self._end

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._spool is not None
        self._end += self._spool.write(raw_data)
        if self._end > settings.PAAS_UPLOAD_LIMIT + AROUND:
            raise UploadTooLarge()

    def file_complete(self, file_size: int) -> UploadedFile:
        assert self._spool is not None
        self._spool.flush()
        content = io.BufferedReader(Window(self._spool, self._start, file_size))
        return UploadedFile(
            content, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )


class Window(io.RawIOBase):
    """A part of a file, read as if it were one."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(f"There is nothing before the start of a file: {base + offset}.")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = max(min(len(buffer), self._size - self._at), 0)
        chunk = os.pread(self._file.fileno(), wanted, self._start + self._at)
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)
