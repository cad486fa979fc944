"""Reads a zip from outside to its end before anything is made of it: names, kinds, sizes, and every byte."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings

from apps.uploads.tree import LONGEST_NAME, MOST_NAMES, Tree, refused, shown

CHUNK = 1 << 20  # bytes
DIRECTORY_MOST = 64 << 20  # bytes of a zip's own list of names, which is read whole
UNPACKED_MOST = 4  # times the upload limit
RATIO_MOST, RATIO_FREE = 100, 256 << 20  # unpacked bytes for each packed one, where there are more than so many
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack any amount at once
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError
)  # fmt: skip
NOT_A_ZIP = "it is not a zip. Pack the app's folder as a .zip and upload that."


@dataclass(frozen=True)
class Part:
    """A file or a link of an app; ``mode`` is what the build will give it, ``sha1`` and ``sha256`` are of its bytes."""

    name: str
    mode: int
    sha1: str
    sha256: str
    size: int
    link: bool = False


def mode_of(entry: zipfile.ZipInfo) -> int:
    return entry.external_attr >> 16


def effective(mode: int) -> int:
    """The permissions that a file gets when it is unpacked."""
    return stat.S_IMODE(mode) & 0o777 | 0o600 if mode else 0o644


def digest_of(parts: list[Part], empty_folders: list[str]) -> str:
    """A digest of what is in an archive, however it was packed."""
    lines = [f"{part.name}\0{'link' if part.link else f'{part.mode:o}'}\0{part.sha256}" for part in parts]
    digest = hashlib.sha256()
    for line in sorted([*lines, *(f"{name}\0folder" for name in empty_folders)]):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


@contextmanager
def opened(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a zip, once it is known that its list of names is one that can be held in memory."""
    size = file.seek(0, 2)
    if size > settings.PAAS_UPLOAD_LIMIT:
        raise refused(f"it is larger than {settings.PAAS_UPLOAD_LIMIT >> 20} MB. Leave out what the build can fetch.")
    try:
        end = zipfile._EndRecData(file)  # what ZipFile itself goes by
        if end is None:
            file.seek(0)
            cut = file.read(4) == b"PK\x03\x04"
            raise refused("it ends too early: it was cut off on its way. Upload it again." if cut else NOT_A_ZIP)
        if end[5] > DIRECTORY_MOST:
            raise refused(f"it holds more than {MOST_NAMES} files and folders. Leave out what the build can fetch.")
        with zipfile.ZipFile(file) as archive:
            yield archive
    except UnicodeDecodeError as error:
        raise refused(
            "a name in it is not UTF-8. Rename the file, or pack it with a tool that writes UTF-8."
        ) from error
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the upload's
        raise refused(f"the zip is damaged ({error}). Pack it again.") from error


class Archive:
    """The entries of an open zip, by kind, their names mended and put into ``tree``."""

    def __init__(self, archive: zipfile.ZipFile, tree: Tree) -> None:
        self.zip = archive
        self.tree = tree
        self.names: dict[str, zipfile.ZipInfo] = {}  # of files and links
        self.mended = False  # whether a name was not marked as the UTF-8 that it is
        entries = archive.infolist()
        if len(entries) > MOST_NAMES:
            raise refused(f"it holds more than {MOST_NAMES} files and folders. Leave out what the build can fetch.")
        for entry in entries:
            self._note(entry)
        self.unpacked = sum(entry.file_size for entry in self.names.values())

    def _note(self, entry: zipfile.ZipInfo) -> None:
        name, kind = self._name(entry), stat.S_IFMT(mode_of(entry))
        if entry.flag_bits & 0x1:
            raise refused(f"{shown(name)} is encrypted. Pack it without a password.")
        if entry.compress_type not in METHODS:
            raise refused(f"{shown(name)} is compressed in a way that is not taken. Pack it with plain 'deflate'.")
        if name.endswith("/"):  # a folder, whatever its mode says; the build reads it so too
            self.tree.folder(name)
        elif kind == stat.S_IFLNK:
            self.names[self.tree.link(name, self._target(entry, name))] = entry
        elif kind in (0, stat.S_IFREG):
            self.names[self.tree.file(name)] = entry
        else:
            raise refused(f"{shown(name)} is neither a file nor a folder nor a link (a device, perhaps). Leave it out.")

    def _name(self, entry: zipfile.ZipInfo) -> str:
        """Return the name; one that is UTF-8 and not marked so (macOS packs like that) was read as something else."""
        if "\0" in entry.orig_filename:
            return entry.orig_filename
        if entry.flag_bits & 0x800 or entry.filename.isascii():
            return entry.filename
        try:
            name = entry.filename.encode("cp437").decode()
        except UnicodeDecodeError as error:
            raise refused(
                f"the name {shown(entry.filename)} is not UTF-8. Rename the file, or pack it with a tool that writes UTF-8."
            ) from error
        self.mended = True
        return name

    def _target(self, entry: zipfile.ZipInfo, name: str) -> str:
        if entry.file_size > LONGEST_NAME:
            raise refused(f"the link {shown(name)} leads to nothing that can be a path.")
        try:
            return self.zip.read(entry).decode()
        except UnicodeDecodeError as error:
            raise refused(f"where the link {shown(name)} leads to is not UTF-8. Leave it out.") from error

    def parts(self) -> Iterator[Part]:
        """Read every file and yield what it is; damage anywhere is noticed here."""
        for name, entry in self.names.items():
            link = name in self.tree.links
            with self.zip.open(entry) as stream:
                sha1, sha256, size = digests(stream.read)
            yield Part(name, 0 if link else effective(mode_of(entry)), sha1, sha256, size, link)

    def empty_folders(self) -> list[str]:
        """The folders that would be missing without their own entries."""
        full = {name.rpartition("/")[0] for name in (*self.tree.files, *self.tree.links, *self.tree.folders)}
        return [name for name in self.tree.folders if name not in full]


def digests(read: Callable[[int], bytes]) -> tuple[str, str, int]:
    """Return SHA-1, SHA-256 and size of what can be read."""
    sha1, sha256, size = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), 0
    while chunk := read(CHUNK):
        sha1.update(chunk)
        sha256.update(chunk)
        size += len(chunk)
    return sha1.hexdigest(), sha256.hexdigest(), size


def check_bulk(*, unpacked: int, packed: int) -> None:
    """Raise for what would grow out of all proportion when it is unpacked."""
    most = UNPACKED_MOST * settings.PAAS_UPLOAD_LIMIT
    if unpacked > most:
        raise refused(
            f"unpacked it is {unpacked >> 20} MB, and at most {most >> 20} MB are taken. Leave something out."
        )
    if unpacked > RATIO_FREE and unpacked > RATIO_MOST * packed:
        raise refused(
            f"it unpacks to more than {RATIO_MOST} times its size, as only bombs do. "
            "Leave out large files that hold almost nothing."
        )
