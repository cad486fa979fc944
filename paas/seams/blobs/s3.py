"""Blobs in a bucket of Amazon's S3, or of anything that speaks its protocol."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from paas.seams.blobs.base import Blob, BlobNotFound, Blobs
from paas.seams.blobs.cache import Cache
from paas.seams.blobs.keys import check_key, check_prefix
from paas.seams.blobs.spool import CHUNK, Spool, Spooled

_DIGEST = "sha256"  # in the object's metadata
_TRANSFER = TransferConfig(multipart_threshold=64 * CHUNK, multipart_chunksize=32 * CHUNK, max_concurrency=4)
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Blobs(Blobs):
    """Objects under ``prefix`` in ``bucket``; without keys, the machine's own identity is used.

    A blob is spooled to the disk before it is sent, since its digest goes with the first byte. A worker
    killed while sending may leave parts that are no object; the bucket's lifecycle rule should drop them.
    """

    def __init__(
        self,
        *,
        bucket: str,
        cache: Path,
        prefix: str = "",
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        cache_bytes: int = 10 << 30,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._spool = Spool(cache / "spool")
        self._cache = Cache(cache / "files", limit=cache_bytes, spool=self._spool)
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 4},
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                request_checksum_calculation="when_required",  # few but Amazon understand the newer ones
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, stream: BinaryIO) -> Blob:
        name = self._name(key)
        with self._spool.receive(stream) as spooled:
            metadata = {"Metadata": {_DIGEST: spooled.sha256}}
            self._client.upload_file(str(spooled.path), self._bucket, name, ExtraArgs=metadata, Config=_TRANSFER)
        return self.stat(key)

    def open(self, key: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_Body(self._get(key)["Body"]), CHUNK))

    def stat(self, key: str) -> Blob:
        with _missing_named(key):
            found = self._client.head_object(Bucket=self._bucket, Key=self._name(key))
        return Blob(
            key=key,
            size=found["ContentLength"],
            sha256=_digest(key, found),
            stored_at=found["LastModified"],
        )

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def list(self, prefix: str = "") -> Iterator[Blob]:
        """Yield blobs; S3 lists no metadata, so each costs a request of its own, eight at a time."""
        pages = self._client.get_paginator("list_objects_v2")
        with ThreadPoolExecutor(max_workers=8) as pool:
            for found in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + check_prefix(prefix)):
                keys = [item["Key"].removeprefix(self._prefix) for item in found.get("Contents", [])]
                yield from (blob for blob in pool.map(self._stat_if_there, keys) if blob)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        digest = self.stat(key).sha256
        with self._cache.hold(digest, fetch=lambda: self._download(key)) as path:
            yield path

    @contextmanager
    def _download(self, key: str) -> Iterator[Spooled]:
        found = self._get(key)
        with self._spool.receive(found["Body"]) as spooled:
            if spooled.sha256 != _digest(key, found):
                raise OSError(f"Blob {key} came back from S3 with other bytes than were stored.")
            yield spooled

    def _get(self, key: str) -> dict[str, Any]:
        with _missing_named(key):
            return cast(dict[str, Any], self._client.get_object(Bucket=self._bucket, Key=self._name(key)))

    def _stat_if_there(self, key: str) -> Blob | None:
        try:
            return self.stat(key)
        except (BlobNotFound, ValueError):
            return None  # deleted since it was listed, or never one of ours

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)


class _Body(io.RawIOBase):
    """Makes what boto3 returns a real stream."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._body.close()
        super().close()


def _digest(key: str, found: dict[str, Any]) -> str:
    if _DIGEST not in found["Metadata"]:
        raise BlobNotFound(f"The object {key} was not stored by the platform: it has no {_DIGEST} in its metadata.")
    return cast(str, found["Metadata"][_DIGEST])


@contextmanager
def _missing_named(key: str) -> Iterator[None]:
    """Turn S3's way of saying that there is no such object into ``BlobNotFound``."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        raise BlobNotFound(f"There is no blob {key}.") from error
