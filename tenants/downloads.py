"""Hands a document out as a file, as it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


def stream(document: Iterator[str], *, filename: str, content_type: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(_pieces(document), content_type=content_type, headers=headers)


async def _pieces(document: Iterator[str]) -> AsyncIterator[str]:
    while (piece := await sync_to_async(_next)(document)) is not None:
        yield piece


def _next(document: Iterator[str]) -> str | None:
    return next(document, None)
