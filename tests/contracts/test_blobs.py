"""The blob store's contract, on a disk and on S3 (moto's server, over HTTP)."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from paas.lib.kinds import load
from paas.seams.blobs import KINDS
from paas.seams.blobs.base import BlobNotFound, Blobs
from paas.seams.blobs.disk import DiskBlobs
from paas.seams.blobs.s3 import S3Blobs

S3_LOGIN = {"region": "eu-west-2", "access_key": "stand-in", "secret_key": "stand-in"}


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def make_s3(s3_server: str, tmp_path: Path) -> Callable[..., S3Blobs]:
    bucket = f"blobs-{uuid4().hex[:8]}"
    client = boto3.client(
        "s3", endpoint_url=s3_server, region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})

    def make(**options: object) -> S3Blobs:
        settings = {"bucket": bucket, "prefix": "install", "endpoint_url": s3_server, "cache": tmp_path / "cache"}
        return S3Blobs(**(settings | S3_LOGIN | options))

    return make


@pytest.fixture(params=sorted(KINDS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Blobs]:
    """Return what makes one more view of the same store, as another process would."""
    if request.param == "s3":
        return request.getfixturevalue("make_s3")
    return lambda: load(KINDS, request.param)(root=tmp_path / "blobs")


@pytest.fixture
def blobs(make: Callable[[], Blobs]) -> Blobs:
    return make()


def put(blobs: Blobs, key: str, content: bytes) -> None:
    blobs.put(key, io.BytesIO(content))


def read(blobs: Blobs, key: str) -> bytes:
    with blobs.open(key) as stream:
        return stream.read()


class Torn(io.RawIOBase):
    """An upload whose sender goes away after a megabyte."""

    def __init__(self) -> None:
        self.left = 1 << 20

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if not self.left:
            raise ConnectionResetError("the sender is gone")
        count = min(len(buffer), self.left)
        buffer[:count] = b"x" * count
        self.left -= count
        return count


def test_what_was_put_is_read_back(blobs: Blobs) -> None:
    content = os.urandom(100_000)
    blob = blobs.put("packages/one.zip", io.BytesIO(content))
    assert (blob.key, blob.size, blob.sha256) == ("packages/one.zip", 100_000, hashlib.sha256(content).hexdigest())
    assert read(blobs, "packages/one.zip") == content


def test_what_is_known_survives_in_another_process(make: Callable[[], Blobs]) -> None:
    stored = make().put("droplets/d.tgz", io.BytesIO(b"droplet"))
    found = make().stat("droplets/d.tgz")
    assert found.sha256 == stored.sha256 == hashlib.sha256(b"droplet").hexdigest()
    assert found.size == 7
    assert abs(found.stored_at.timestamp() - time.time()) < 60
    assert found.stored_at.tzinfo is not None


def test_an_empty_blob_is_a_blob(blobs: Blobs) -> None:
    put(blobs, "empty", b"")
    assert blobs.stat("empty").size == 0
    assert read(blobs, "empty") == b""


def test_a_large_blob_comes_back_whole(blobs: Blobs) -> None:
    block = os.urandom(1 << 20)
    digest = hashlib.sha256(block * 80).hexdigest()
    assert blobs.put("large", io.BytesIO(block * 80)).sha256 == digest  # several parts on S3
    assert blobs.stat("large").sha256 == digest
    found = hashlib.sha256()
    with blobs.open("large") as stream:
        while chunk := stream.read(777_777):
            found.update(chunk)
    assert found.hexdigest() == digest


def test_an_open_blob_can_be_read_in_pieces(blobs: Blobs) -> None:
    put(blobs, "lines", b"first\nsecond\nthird")
    with blobs.open("lines") as stream:
        assert stream.readline() == b"first\n"
        assert stream.read(3) == b"sec"
        assert stream.read() == b"ond\nthird"


def test_a_second_put_replaces_the_first(blobs: Blobs) -> None:
    put(blobs, "cache/app", b"old")
    put(blobs, "cache/app", b"newer")
    assert read(blobs, "cache/app") == b"newer"
    assert blobs.stat("cache/app").size == 5
    assert [blob.key for blob in blobs.list()] == ["cache/app"]


def test_the_same_put_twice_is_harmless(blobs: Blobs) -> None:
    put(blobs, "same", b"same")
    put(blobs, "same", b"same")
    assert read(blobs, "same") == b"same"


def test_a_torn_upload_leaves_nothing(blobs: Blobs) -> None:
    with pytest.raises(ConnectionResetError):
        blobs.put("torn", Torn())
    with pytest.raises(BlobNotFound):
        blobs.stat("torn")
    assert list(blobs.list()) == []


def test_a_torn_upload_leaves_what_was_there(blobs: Blobs) -> None:
    put(blobs, "package", b"whole")
    with pytest.raises(ConnectionResetError):
        blobs.put("package", Torn())
    assert read(blobs, "package") == b"whole"


def test_nothing_of_an_upload_is_seen_before_its_end(blobs: Blobs) -> None:
    half, end = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                half.set()
                end.wait(30)
            return super().read(min(size or 0, 1000))

    upload = threading.Thread(target=blobs.put, args=("slow", Slow(b"x" * 3000)))
    upload.start()
    assert half.wait(30)
    seen = [blob.key for blob in blobs.list()]
    with pytest.raises(BlobNotFound):
        blobs.open("slow")
    end.set()
    upload.join(60)
    assert seen == []
    assert blobs.stat("slow").size == 3000


def test_a_reader_keeps_the_bytes_it_began_with(blobs: Blobs) -> None:
    put(blobs, "moving", b"a" * 100)
    with blobs.local("moving") as path:
        put(blobs, "moving", b"b" * 100)
        assert path.read_bytes() == b"a" * 100
        blobs.delete("moving")
        assert path.read_bytes() == b"a" * 100


def test_replacing_under_readers_never_shows_a_mixture(blobs: Blobs) -> None:
    put(blobs, "hot", b"0" * 50_000)
    stop = threading.Event()
    wrong: list[object] = []

    def watch() -> None:
        while not stop.is_set():
            try:
                content = read(blobs, "hot")
                if len(content) != 50_000 or len(set(content)) != 1:
                    wrong.append(content[:10])
            except Exception as error:
                wrong.append(error)

    reader = threading.Thread(target=watch)
    reader.start()
    for number in range(30):
        put(blobs, "hot", str(number % 10).encode() * 50_000)
    stop.set()
    reader.join(60)
    assert wrong == []
    assert read(blobs, "hot") == b"9" * 50_000


def test_two_writers_leave_one_whole_blob(blobs: Blobs) -> None:
    writers = [threading.Thread(target=put, args=(blobs, "both", bytes([65 + n]) * 10_000)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    content = read(blobs, "both")
    assert len(content) == 10_000
    assert blobs.stat("both").sha256 == hashlib.sha256(content).hexdigest()


def test_a_missing_blob_is_said_to_be_missing(blobs: Blobs) -> None:
    for ask in (blobs.stat, blobs.open):
        with pytest.raises(BlobNotFound):
            ask("no/such")
    with pytest.raises(BlobNotFound), blobs.local("no/such"):
        pass


def test_a_deleted_blob_is_gone_and_deleting_twice_is_harmless(blobs: Blobs) -> None:
    put(blobs, "a/b/c", b"1")
    put(blobs, "a/b", b"2")
    blobs.delete("a/b/c")
    blobs.delete("a/b/c")
    with pytest.raises(BlobNotFound):
        blobs.stat("a/b/c")
    assert read(blobs, "a/b") == b"2"


def test_a_key_below_another_is_a_key_of_its_own(blobs: Blobs) -> None:
    put(blobs, "a/b", b"lower")
    put(blobs, "a", b"upper")
    assert (read(blobs, "a"), read(blobs, "a/b")) == (b"upper", b"lower")
    blobs.delete("a")
    assert read(blobs, "a/b") == b"lower"


def test_a_list_is_in_key_order_and_keeps_to_its_prefix(blobs: Blobs) -> None:
    keys = ["a", "a-b", "a.b", "a/b", "a/b/c", "ab/c", "b"]
    for key in reversed(keys):
        put(blobs, key, key.encode())
    assert [blob.key for blob in blobs.list()] == sorted(keys)
    assert [blob.key for blob in blobs.list("a/")] == ["a/b", "a/b/c"]
    assert [blob.key for blob in blobs.list("a/b/c")] == ["a/b/c"]
    assert [blob.key for blob in blobs.list("ab")] == ["ab/c"]
    assert list(blobs.list("nothing/")) == []
    assert [blob.sha256 for blob in blobs.list("b")] == [hashlib.sha256(b"b").hexdigest()]


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "a/../b", "..", ".", "a//b", "a/", "A", "a b", "a=b", "é", "a\n", "a" * 600, "a\0"]
)
def test_a_key_that_is_none_is_refused(blobs: Blobs, key: str) -> None:
    for ask in (blobs.stat, blobs.open, blobs.delete):
        with pytest.raises(ValueError, match="no blob key"):
            ask(key)
    with pytest.raises(ValueError, match="no blob key"):
        put(blobs, key, b"x")
    with pytest.raises(ValueError, match="no blob key"), blobs.local(key):
        pass


def test_a_prefix_cannot_lead_out_of_the_store(blobs: Blobs) -> None:
    with pytest.raises(ValueError, match="no blob key"):
        list(blobs.list("../"))


def test_a_local_file_has_the_bytes_and_is_gone_afterwards(blobs: Blobs) -> None:
    put(blobs, "droplet", b"layers")
    with blobs.local("droplet") as first, blobs.local("droplet") as second:
        assert first.read_bytes() == second.read_bytes() == b"layers"
        assert first.stat().st_mode & 0o222 == 0
    assert not first.exists()
    assert not second.exists()
    assert read(blobs, "droplet") == b"layers"


def test_a_local_file_of_a_replaced_blob_is_the_new_one(blobs: Blobs) -> None:
    put(blobs, "droplet", b"old")
    with blobs.local("droplet") as path:
        assert path.read_bytes() == b"old"
    put(blobs, "droplet", b"new")
    with blobs.local("droplet") as path:
        assert path.read_bytes() == b"new"


# Only on a disk


def test_the_disk_holds_nothing_half_written_after_a_torn_upload(tmp_path: Path) -> None:
    blobs = DiskBlobs(root=tmp_path)
    with pytest.raises(ConnectionResetError):
        blobs.put("torn", Torn())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_disk_has_no_folders_left_after_a_delete(tmp_path: Path) -> None:
    blobs = DiskBlobs(root=tmp_path)
    put(blobs, "a/b/c", b"x")
    blobs.delete("a/b/c")
    assert not (tmp_path / "a").exists()


def test_a_crash_between_replacing_and_tidying_leaves_the_newer_blob(tmp_path: Path) -> None:
    blobs = DiskBlobs(root=tmp_path)
    put(blobs, "twice", b"old")
    (older,) = (tmp_path / "twice").iterdir()
    content = older.read_bytes()
    put(blobs, "twice", b"new")
    older.write_bytes(content)  # as if the process had died before removing it
    os.utime(older, (1, 1))
    assert read(blobs, "twice") == b"new"
    put(blobs, "twice", b"newest")
    assert len(list((tmp_path / "twice").iterdir())) == 1


def test_what_a_killed_upload_left_is_swept_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DiskBlobs(root=tmp_path)
    leftover = tmp_path / "=spool" / "tmpdead"
    leftover.write_bytes(b"half")
    DiskBlobs(root=tmp_path)
    assert leftover.exists()
    tomorrow = time.time() + 25 * 3600
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    DiskBlobs(root=tmp_path)
    assert not leftover.exists()


# Only on S3


def test_the_cache_stays_within_its_bytes_and_drops_the_longest_unused(
    make_s3: Callable[..., S3Blobs], tmp_path: Path
) -> None:
    blobs = make_s3(cache=tmp_path / "small", cache_bytes=2_500)
    for number in range(3):
        put(blobs, f"blob-{number}", bytes([number]) * 1000)
    with blobs.local("blob-0") as first:
        with blobs.local("blob-1"):
            pass
        with blobs.local("blob-2"):
            pass
        assert first.read_bytes() == bytes([0]) * 1000
    kept = {path.name for path in (tmp_path / "small" / "files").iterdir()}
    assert kept == {blobs.stat(key).sha256 for key in ("blob-1", "blob-2")}


def test_a_cached_blob_is_not_fetched_again(make_s3: Callable[..., S3Blobs], tmp_path: Path) -> None:
    blobs = make_s3()
    put(blobs, "droplet", b"layers")
    with blobs.local("droplet") as path:
        number = path.stat().st_ino
    with blobs.local("droplet") as path:
        assert path.stat().st_ino == number


def test_two_prefixes_in_one_bucket_are_two_stores(make_s3: Callable[..., S3Blobs]) -> None:
    one, other = make_s3(prefix="one"), make_s3(prefix="one-more/")
    put(one, "key", b"1")
    assert list(other.list()) == []
    with pytest.raises(BlobNotFound):
        other.stat("key")


def test_foreign_objects_in_the_bucket_are_not_blobs(make_s3: Callable[..., S3Blobs], s3_server: str) -> None:
    blobs = make_s3()
    put(blobs, "ours", b"1")
    client = boto3.client(
        "s3", endpoint_url=s3_server, region_name="eu-west-2", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.put_object(Bucket=blobs._bucket, Key="install/README.TXT", Body=b"theirs")
    client.put_object(Bucket=blobs._bucket, Key="install/bare", Body=b"no digest")
    assert [blob.key for blob in blobs.list()] == ["ours"]
