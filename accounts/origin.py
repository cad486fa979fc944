"""Where a request comes from: its door, its address and the token it shows, for the record to say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse

API = ("/v3/", "/uaa/", "/api/v1/")
PAGES = ("/uaa/login", "/uaa/passcode")  # below the API's addresses, but for people


@dataclass(frozen=True)
class Origin:
    """``door`` is "console", "api", or empty for the platform's own work; ``via`` names a token or a robot's key."""

    door: str = ""
    address: str = ""
    via: str = ""


_NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def current() -> Origin:
    """Return where the request that is under way comes from; in a job, nowhere."""
    return _current.get()


def shown(via: str) -> None:
    """Note which token or key the request under way showed ("token ci")."""
    _current.set(replace(_current.get(), via=via))


def address_of(request: HttpRequest) -> str:
    """Return where the request came from; the web server believes only the platform's own router about it."""
    return str(request.META.get("REMOTE_ADDR", ""))


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


class OriginMiddleware:
    """Keeps the origin for as long as the request is answered, a streamed answer to its end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with coming_from(Origin(_door(request.path_info), address_of(request))):
            response = self.get_response(request)
            if response.streaming:
                pieces: Any = response
                stream = _later if pieces.is_async else _soon
                pieces.streaming_content = stream(current(), pieces.streaming_content)
        return response


def _door(path: str) -> str:
    return "api" if f"{path}/".startswith(API) and path not in PAGES else "console"


def _soon(origin: Origin, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Each piece may be made in a thread of its own, so the origin is put back for each."""
    end = object()
    while True:
        with coming_from(origin):
            piece: Any = next(pieces, end)
        if piece is end:
            return
        yield piece


async def _later(origin: Origin, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        with coming_from(origin):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        yield piece
