"""Archives that are refused, each with a sentence of its own, and of which nothing is kept."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from accounts.models import User
from apps import uploads
from apps.actions import push
from apps.models import App, Package
from apps.uploads import archive, tree
from apps.uploads.archive import Archive, opened
from paas.lib.errors import Unprocessable
from paas.seams.blobs.base import Blobs
from tests.apps.archives import SOURCE, entry, zipped


def encrypted() -> io.BytesIO:
    return patched(zipped(), flags=0x1)


def patched(packed: io.BytesIO, *, flags: int | None = None, method: int | None = None) -> io.BytesIO:
    """Change a field in every entry's description at the zip's end."""
    content = bytearray(packed.getvalue())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        if flags is not None:
            struct.pack_into("<H", content, at + 8, flags)
        if method is not None:
            struct.pack_into("<H", content, at + 10, method)
        at = content.find(b"PK\x01\x02", at + 4)
    return io.BytesIO(bytes(content))


def bytes_for_name(name: bytes, *, utf8: bool) -> io.BytesIO:
    """A zip in which one name is these bytes."""
    stand_in = "n" * len(name)
    content = zipped({stand_in: "x"}).getvalue().replace(stand_in.encode(), name)
    return patched(io.BytesIO(content), flags=0x800 if utf8 else 0)


def twice() -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made, pytest.warns(UserWarning, match="Duplicate"):
        for _ in range(2):
            entry(made, "app.py", "x", stat.S_IFREG | 0o644)
    return packed


def damaged() -> io.BytesIO:
    content = bytearray(zipped({"app.py": "print()\n" * 1000}).getvalue())
    content[45:60] = b"\xff" * 15
    return io.BytesIO(bytes(content))


BAD = {
    "an absolute path": (lambda: zipped({"/etc/passwd": "x"}), "is absolute"),
    "a path that leads out": (lambda: zipped({"a/../../b": "x"}), "leads out of the app's folder"),
    "an absolute link": (lambda: zipped(links={"a": "/etc/passwd"}), "leaves the app's folder"),
    "a link that leads out": (lambda: zipped(links={"a/b": "../../c"}), "leaves the app's folder"),
    "a link that leads out through another": (
        lambda: zipped({**SOURCE, "r/x": ""}, links={"p/q/x": "../../r", "y": "p/q/x/../../s"}),
        "leaves the app's folder",
    ),
    "a link to nowhere": (lambda: zipped(links={"a": ""}), "leads to nothing"),
    "a file below a link": (lambda: zipped({"a/b": "x"}, links={"a": "c"}), "a folder too"),
    "a file that is a folder too": (lambda: zipped({"a": "x", "a/b": "x"}), "a folder too"),
    "a device": (lambda: zipped({"a": ""}, a=stat.S_IFBLK | 0o600), "a device, perhaps"),
    "a pipe": (lambda: zipped({"a": ""}, a=stat.S_IFIFO | 0o600), "a device, perhaps"),
    "nothing": (lambda: zipped({}), "there is no file in it"),
    "only folders": (lambda: zipped({"a/": ""}), "there is no file in it"),
    "a name twice": (twice, "is there twice"),
    "the same name spelled twice": (lambda: zipped({"a": "x", "./a": "x"}), "is there twice"),
    "a name that is not UTF-8": (lambda: bytes_for_name(b"caf\xe9", utf8=True), "not UTF-8"),
    "a name that is not marked as UTF-8, nor is it": (lambda: bytes_for_name(b"caf\xe9", utf8=False), "not UTF-8"),
    "a name that is too long": (lambda: zipped({"n" * 256: "x"}), "no file can have here"),
    "a password": (encrypted, "is encrypted"),
    "another compression": (lambda: patched(zipped(), method=12), "plain 'deflate'"),
    "no zip": (lambda: io.BytesIO(b"hello"), "it is not a zip"),
    "nothing at all": (lambda: io.BytesIO(b""), "it is not a zip"),
    "half a zip": (lambda: io.BytesIO(zipped().getvalue()[:60]), "cut off on its way"),
    "damage": (damaged, "the zip is damaged"),
}


@pytest.fixture
def package(alice: User, app: App, store: Blobs) -> Package:
    return push.create_package(alice, app)


@pytest.mark.parametrize("what", BAD)
def test_a_zip_with_it_is_refused(alice: User, package: Package, tmp_path: Path, what: str) -> None:
    make, sentence = BAD[what]
    with pytest.raises(Unprocessable, match=sentence) as refused:
        uploads.receive(alice, package, bits=make())
    assert refused.value.detail.startswith("The upload was refused: ")
    assert refused.value.detail.endswith(".")
    assert not Package.objects.filter(pk=package.pk).exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_bomb_by_ratio_is_refused(alice: User, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "RATIO_FREE", 1 << 20)
    with pytest.raises(Unprocessable, match="more than 100 times its size"):
        uploads.receive(alice, package, bits=zipped({"zeros": bytes(2 << 20)}))


def test_zeros_alone_are_no_bomb(alice: User, package: Package) -> None:
    assert uploads.receive(alice, package, bits=zipped({"zeros": bytes(2 << 20)})).state == "READY"


def test_a_bomb_by_count_is_refused(alice: User, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_NAMES", 10)
    with pytest.raises(Unprocessable, match="more than 10 files and folders"):
        uploads.receive(alice, package, bits=zipped({f"{number}/x": "" for number in range(6)}))


def test_a_list_of_names_too_long_to_be_read_is_refused(
    alice: User, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "DIRECTORY_MOST", 100)
    with pytest.raises(Unprocessable, match="files and folders"):
        uploads.receive(alice, package, bits=zipped({f"{number}": "" for number in range(6)}))


def test_what_is_too_large_unpacked_is_refused(alice: User, package: Package, settings: Any) -> None:
    settings.PAAS_UPLOAD_LIMIT = 1 << 20
    with pytest.raises(Unprocessable, match="unpacked it is 5 MB, and at most 4 MB are taken"):
        uploads.receive(alice, package, bits=zipped({"zeros": bytes(5 << 20)}))


def test_what_is_above_the_limit_is_refused(alice: User, package: Package, settings: Any) -> None:
    settings.PAAS_UPLOAD_LIMIT = 1 << 10
    with pytest.raises(Unprocessable, match="it is larger than"):
        uploads.receive(alice, package, bits=zipped({str(number): "x" for number in range(50)}))


def test_links_that_stay_inside_are_kept(alice: User, package: Package) -> None:
    links = {"current": "releases/1", "releases/1/shared": "../../shared", "loop": "loop"}
    assert uploads.receive(alice, package, bits=zipped({"releases/1/a": "x"}, links=links)).state == "READY"


def test_names_that_macos_does_not_mark_are_mended(alice: User, package: Package, store: Blobs) -> None:
    done = uploads.receive(alice, package, bits=bytes_for_name("café".encode(), utf8=False))
    with store.open(done.key) as blob, zipfile.ZipFile(blob) as kept:
        assert kept.namelist() == ["café"]


@hypothesis(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=12), cut=st.integers(0, 500))
def test_whatever_is_changed_in_a_zip_it_is_read_or_refused(changes: dict[int, int], cut: int) -> None:
    content = bytearray(zipped({**SOURCE, "folder/": ""}, links={"a": "app.py"}).getvalue())
    for at, value in changes.items():
        if at < len(content):
            content[-at] = value
    try:
        with opened(io.BytesIO(bytes(content[cut if cut < 40 else 0 :]))) as zipped_file:
            list(Archive(zipped_file, tree.Tree()).parts())
    except Unprocessable as refused:
        assert refused.detail.startswith("The upload was refused: ")
