"""Makes a zip of what a browser can send instead: a tar, compressed or not, or the files of a folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from django.conf import settings

from apps.uploads.archive import CHUNK, UNPACKED_MOST
from apps.uploads.tree import MOST_NAMES, refused, shown
from paas.lib.intake import folder

HEADER_MOST = 2 * CHUNK  # of a tar's own, which are read whole
COMPRESSED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
LEVEL = 1  # what is stored is read once or twice
DAMAGED_TAR = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, UnicodeError, ValueError, OverflowError, OSError)


def spooled() -> BinaryIO:
    """A file on the platform's own disk that has no name and is gone when it is closed."""
    return cast(BinaryIO, tempfile.TemporaryFile(dir=folder()))


def as_zip(name: str, stream: BinaryIO) -> BinaryIO:
    """Return a zip of what was uploaded under ``name``: itself, or made from a tar; told by content, not by name."""
    stream.seek(0)
    start = stream.read(512)
    stream.seek(0)
    if start.startswith(ZIPS):
        return stream
    if start.startswith(tuple(COMPRESSED)) or start[257:262] == b"ustar" or name.lower().endswith(".tar"):
        return zip_of_tar(stream)
    raise refused(f"{shown(name)} is neither a zip nor a tar. Pack the app's folder as one of them and upload that.")


def zip_of_files(pairs: Iterable[tuple[str, IO[bytes]]]) -> BinaryIO:
    """Return a zip of the files; each name is relative to the app's folder."""
    made = spooled()
    with zipfile.ZipFile(made, "w") as archive:
        for number, (name, file) in enumerate(pairs):
            if number >= MOST_NAMES:
                raise refused(f"it holds more than {MOST_NAMES} files. Leave out what the build can fetch by itself.")
            file.seek(0)
            head = file.read(2)
            file.seek(0)  # a browser tells no modes: what names an interpreter is to be run
            add(archive, name, stat.S_IFREG | (0o755 if head == b"#!" else 0o644), file)
    made.seek(0)
    return made


def zip_of_tar(stream: BinaryIO) -> BinaryIO:
    """Return a zip of a tar (plain, .gz, .bz2 or .xz); raise ``Unprocessable`` where it holds what no zip can."""
    made = spooled()
    try:
        with _plain(stream) as plain, tar_in(plain) as tar:
            with zipfile.ZipFile(made, "w") as archive:
                _copy(tar, archive)
            _check_end(tar, plain)
    except DAMAGED_TAR as error:
        made.close()
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the upload's
        raise refused(f"the tar is damaged or was cut off ({error}). Pack it again.") from error
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return made


def add(archive: zipfile.ZipFile, name: str, mode: int, content: IO[bytes] | bytes, *, stored: bool = False) -> None:
    """Write one entry, with a name that is marked as UTF-8 where it has to be."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = mode << 16 | (0x10 if stat.S_ISDIR(mode) else 0)
    entry.create_system = 3  # unix, whose modes these are
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if isinstance(content, bytes):
        archive.writestr(entry, content, compresslevel=LEVEL)
        return
    entry._compresslevel = LEVEL  # there is no other way to say it of a single entry
    with archive.open(entry, "w", force_zip64=True) as target:
        shutil.copyfileobj(content, target, CHUNK)


@contextmanager
def _plain(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give the tar itself, uncompressed as far as it may go."""
    stream.seek(0)
    start = stream.read(8)
    stream.seek(0)
    opener = next((opener for magic, opener in COMPRESSED.items() if start.startswith(magic)), None)
    if opener is None:
        yield stream
        return
    most, size = UNPACKED_MOST * settings.PAAS_UPLOAD_LIMIT, 0
    with spooled() as made, opener(stream) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise refused(f"unpacked it is more than {most >> 20} MB. Leave something out.")
            made.write(chunk)
        made.seek(0)
        yield made


def tar_in(file: IO[bytes] | gzip.GzipFile) -> tarfile.TarFile:
    """Open a tar from outside."""
    return tarfile.open(fileobj=cast(Any, _Careful(file)), mode="r:")


class _Careful:
    """Hands a tar's bytes out; a header that would fill the memory is damage."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile) -> None:
        self.tell, self.seek, self._read = file.tell, file.seek, file.read

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > HEADER_MOST:
            raise tarfile.ReadError("it has a header that is too large")
        return self._read(size)


def _copy(tar: tarfile.TarFile, archive: zipfile.ZipFile) -> None:
    total, files = 0, dict[str, tarfile.TarInfo]()
    for number, member in enumerate(tar):
        name = member.name
        if number >= MOST_NAMES:
            raise refused(f"it holds more than {MOST_NAMES} files and folders. Leave out what the build can fetch.")
        if any("\ud800" <= char <= "\udfff" for char in name + member.linkname):
            raise refused(f"the name {shown(name)} is not UTF-8. Rename the file and pack it again.")
        if member.islnk() and member.linkname not in files:
            raise refused(f"the link {shown(name)} -> {shown(member.linkname)} leads to nothing in the tar.")
        if member.isreg() or member.islnk():
            files[name] = files.get(member.linkname, member) if member.islnk() else member
            total += files[name].size
        if total > UNPACKED_MOST * settings.PAAS_UPLOAD_LIMIT:
            raise refused("unpacked it is larger than what is taken. Leave something out.")
        _one(archive, member, tar.extractfile(files[name]) if name in files else None)


def _one(archive: zipfile.ZipFile, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
    mode = stat.S_IMODE(member.mode)
    if member.isdir():
        if member.name not in ("", "."):
            add(archive, f"{member.name}/", stat.S_IFDIR | mode, b"", stored=True)
    elif member.issym():
        add(archive, member.name, stat.S_IFLNK | 0o777, member.linkname.encode(), stored=True)
    elif content is not None:
        add(archive, member.name, stat.S_IFREG | mode, content)
    else:
        raise refused(f"{shown(member.name)} is a device or a pipe. Leave it out.")


def _check_end(tar: tarfile.TarFile, plain: BinaryIO) -> None:
    """A tar that was cut off between two files looks whole but for the empty block at its end."""
    plain.seek(tar.offset)
    if plain.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it has no end")
