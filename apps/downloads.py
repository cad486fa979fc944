"""Hands a blob out, a piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

from django.http import StreamingHttpResponse

from apps import outside
from paas.lib.errors import NotFound
from paas.seams.blobs.base import BlobNotFound

CHUNK = 1 << 20  # bytes


def stream(key: str, *, filename: str, content_type: str) -> StreamingHttpResponse:
    """Answer with the blob as a file; raise ``NotFound`` where the store has it no more."""
    try:
        size, blob = outside.blobs().stat(key).size, outside.blobs().open(key)
    except BlobNotFound as error:
        raise NotFound("The bits are no longer stored. Push the app again.") from error
    headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(_pieces(blob), content_type=content_type, headers=headers)


async def _pieces(blob: BinaryIO) -> AsyncIterator[bytes]:
    with blob:
        while piece := await asyncio.to_thread(blob.read, CHUNK):
            yield piece
