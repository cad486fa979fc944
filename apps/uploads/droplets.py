"""Takes a finished droplet in: Cloud Foundry's .tgz, read to its end before it is kept."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import IO, Any, BinaryIO

from django.conf import settings

from accounts.models import Job, User
from apps import outside
from apps.actions import droplet as droplets
from apps.actions.manifest.document import parsed
from apps.models import Droplet
from apps.uploads.archive import CHUNK, check_bulk
from apps.uploads.convert import DAMAGED_TAR, tar_in
from apps.uploads.tree import Tree, refused, shown
from paas.lib.errors import MessageParseError, Unprocessable

INFO, INFO_MOST = "staging_info.yml", 64 << 10  # what the build said of the droplet; bytes
PADDING_MOST = 16 << 20  # bytes of nothing after a tar's end
BROKEN = "The platform could not keep the droplet. Upload it again; if it goes on, tell the platform team."


def receive_droplet(actor: User, droplet: Droplet, bits: BinaryIO) -> Job:
    """Make the droplet staged with these bits, or refuse them with a sentence and let it wait for others."""
    droplet = droplets.start_upload(actor, droplet)
    try:
        info = _checked(bits)
        bits.seek(0)
        blob = outside.blobs().put(f"droplets/{droplet.guid}.tgz", bits)
    except Unprocessable as error:
        droplets.refuse_upload(actor, droplet, error=error.detail)
        raise
    except Exception:
        droplets.refuse_upload(actor, droplet, error=BROKEN)
        raise
    command = info.get("start_command")
    text = command if isinstance(command, str) else ""
    return droplets.finish_upload(actor, droplet, key=blob.key, sha256=blob.sha256, size=blob.size, start_command=text)


def _checked(bits: BinaryIO) -> dict[str, Any]:
    """Return what the build said of the droplet; raise unless all of it is there and stays in its place."""
    size = bits.seek(0, 2)
    if size > settings.PAAS_UPLOAD_LIMIT:
        raise refused(f"it is larger than {settings.PAAS_UPLOAD_LIMIT >> 20} MB.")
    bits.seek(0)
    if bits.read(2) != b"\x1f\x8b":
        raise refused("it is not a droplet, which is a tar packed with gzip. `cf download-droplet` gives one.")
    bits.seek(0)
    try:
        with gzip.open(bits) as plain, tar_in(plain) as tar:
            info = _walk(tar, packed=size)
            _to_the_end(plain)
    except DAMAGED_TAR as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the upload's
        raise refused(f"the droplet is damaged or was cut off ({error}). Download or build it again.") from error
    return info


def _walk(tar: tarfile.TarFile, *, packed: int) -> dict[str, Any]:
    tree, unpacked, info = Tree(absolute=True), 0, dict[str, Any]()
    for member in tar:
        if member.isdir():
            tree.folder(f"{member.name}/")
        elif member.issym():
            tree.link(member.name, member.linkname)
        elif member.isreg() or member.islnk():
            name = tree.file(member.name)
            unpacked += member.size
            check_bulk(unpacked=unpacked, packed=packed)
            if member.islnk() and (member.linkname.removeprefix("./") not in tree.files):
                raise refused(f"the link {shown(name)} -> {shown(member.linkname)} leads to nothing in the droplet.")
            if name == INFO and member.isreg() and member.size <= INFO_MOST:
                info = _read_info(tar.extractfile(member) or io.BytesIO())
        else:
            raise refused(f"{shown(member.name)} is a device or a pipe. A droplet holds none.")
    tree.check()
    if "app" not in tree.folders:
        raise refused("it is not a droplet: it has no folder ./app. `cf download-droplet` gives one.")
    return info


def _read_info(content: IO[bytes]) -> dict[str, Any]:
    try:
        info = parsed(content.read())
    except MessageParseError as error:
        raise refused(f"its {INFO} cannot be read. Download or build the droplet again.") from error
    return info if isinstance(info, dict) else {}


def _to_the_end(plain: gzip.GzipFile) -> None:
    """Read what pads the tar, so that a droplet that was cut off there is noticed too."""
    size = 0
    while chunk := plain.read(CHUNK):
        size += len(chunk)
        if size > PADDING_MOST:
            raise refused("there is more in it after the droplet's end. Download or build it again.")
