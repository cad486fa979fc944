"""Tars and folders from a browser become zips; what no zip can hold is refused."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from apps import uploads
from apps.uploads.archive import Archive, opened
from apps.uploads.tree import Tree
from paas.lib.errors import Unprocessable
from paas.seams.blobs.base import Blobs
from tests.apps.archives import SOURCE, names_in, tarred, zipped

BYTES = {name: text.encode() for name, text in SOURCE.items()}


@pytest.fixture(autouse=True)
def disk(store: Blobs) -> None:
    """Everything is spooled below the state folder."""


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_becomes_a_zip(mode: str) -> None:
    assert names_in(uploads.as_zip("app", tarred(SOURCE, mode=mode))) == BYTES


def test_a_zip_stays_as_it_is() -> None:
    content = zipped()
    assert uploads.as_zip("app.tar", content) is content  # whatever it is called


@pytest.mark.parametrize("content", [b"", b"hello", b"\x7fELF" + bytes(1000)])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"'app\.exe' is neither a zip nor a tar"):
        uploads.as_zip("app.exe", io.BytesIO(content))


def test_modes_links_and_folders_come_along() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, kind, mode, target in (
            (".", tarfile.DIRTYPE, 0o755, ""),
            ("./bin", tarfile.DIRTYPE, 0o755, ""),
            ("./bin/run", tarfile.REGTYPE, 0o755, ""),
            ("./bin/same", tarfile.LNKTYPE, 0o755, "./bin/run"),
            ("./start", tarfile.SYMTYPE, 0o777, "bin/run"),
            ("./empty", tarfile.DIRTYPE, 0o755, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.linkname = kind, mode, target
            info.size = 2 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"#!") if info.size else None)
    with opened(uploads.zip_of_tar(packed)) as made:
        archive = Archive(made, Tree())
        parts = {part.name: part for part in archive.parts()}
        assert archive.empty_folders() == ["empty"]
    assert set(parts) == {"bin/run", "bin/same", "start"}
    assert parts["bin/run"].mode == parts["bin/same"].mode == 0o755
    assert parts["bin/run"].sha256 == parts["bin/same"].sha256
    assert parts["start"].link


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_is_refused(kind: bytes) -> None:
    with pytest.raises(Unprocessable, match="'null' is a device or a pipe"):
        uploads.zip_of_tar(tarred(SOURCE, null=(kind, "")))


def test_a_hard_link_to_nothing_in_the_tar_is_refused() -> None:
    with pytest.raises(Unprocessable, match="leads to nothing in the tar"):
        uploads.zip_of_tar(tarred(SOURCE, passwd=(tarfile.LNKTYPE, "/etc/passwd")))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(Unprocessable, match="not UTF-8"):
        uploads.zip_of_tar(tarred({"caf\udce9": "x"}))


@pytest.mark.parametrize("end", [100, 600, 1024, 1536, 2048])
def test_a_tar_that_was_cut_off_is_refused(end: int) -> None:
    with pytest.raises(Unprocessable, match="damaged or was cut off"):
        uploads.zip_of_tar(io.BytesIO(tarred(SOURCE).getvalue()[:end]))


def test_a_compressed_tar_that_was_cut_off_is_refused() -> None:
    with pytest.raises(Unprocessable, match="damaged or was cut off"):
        uploads.zip_of_tar(io.BytesIO(tarred(SOURCE, mode="w:gz").getvalue()[:-20]))


def test_a_compressed_bomb_is_refused(settings: Any) -> None:
    settings.PAAS_UPLOAD_LIMIT = 1 << 20
    with pytest.raises(Unprocessable, match="more than 4 MB"):
        uploads.zip_of_tar(io.BytesIO(gzip.compress(bytes(5 << 20))))


def test_a_header_that_would_fill_the_memory_is_refused() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with pytest.raises(Unprocessable, match="header that is too large"):
        uploads.zip_of_tar(io.BytesIO(info.tobuf() + bytes(1 << 16)))


def test_the_files_of_a_folder_become_a_zip() -> None:
    made = uploads.zip_of_files([("app.py", io.BytesIO(b"print()")), ("bin/run", io.BytesIO(b"#!/bin/sh"))])
    assert names_in(made) == {"app.py": b"print()", "bin/run": b"#!/bin/sh"}
    with zipfile.ZipFile(made) as archive:
        assert stat.S_IMODE(archive.getinfo("bin/run").external_attr >> 16) == 0o755
        assert stat.S_IMODE(archive.getinfo("app.py").external_attr >> 16) == 0o644


def test_what_is_spooled_has_no_name(tmp_path: Path) -> None:
    with uploads.zip_of_files([("app.py", io.BytesIO(b"print()"))]):
        assert list((tmp_path / "uploads").iterdir()) == []
