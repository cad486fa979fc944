"""Takes an app's source in: checked from end to end, completed with files known from before, kept whole."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn

from django.conf import settings

from accounts.models import User
from apps import outside
from apps.actions import push, source_file
from apps.actions.source_file import KnownFile
from apps.models import Package, SourceFile
from apps.uploads.archive import CHUNK, Archive, Part, check_bulk, digest_of, effective, mode_of, opened
from apps.uploads.convert import add, spooled
from apps.uploads.tree import Tree, refused, shown
from paas.lib.errors import Unprocessable
from paas.seams.blobs.base import BlobNotFound
from tenants.models import Organization

BROKEN = "The platform could not keep the upload. Upload it again; if it goes on, tell the platform team."
Resource = tuple[str, int, SourceFile]  # the name in the app, its mode, the file known from before


def receive(
    actor: User, package: Package, *, bits: BinaryIO | None, resources: list[dict[str, Any]] | None = None
) -> Package:
    """Make the package ready with the zip and the resources, or refuse them with a sentence and keep nothing.

    ``resources`` are as ``/v3/resource_matches`` answered them: ``{"path", "mode", "checksum": {"value"},
    "size_in_bytes"}``. Raises ``Unprocessable``.
    """
    package = push.start_upload(actor, package)
    try:
        if bits is None and not resources:
            raise Unprocessable("Upload must include either resources or bits")
        with _checked(package, bits, resources or []) as (file, parts, digest):
            blob = outside.blobs().put(f"packages/{package.guid}.zip", file)
            files = _keep(package.app.organization, file, parts)
    except Unprocessable as error:
        push.refuse_upload(actor, package, error=error.detail)
        raise
    except Exception:
        push.refuse_upload(actor, package, error=BROKEN)
        raise
    facts = {"key": blob.key, "sha256": blob.sha256, "size": blob.size, "content_sha256": digest}
    return push.finish_upload(actor, package, files=files, **facts)


def refuse(actor: User, package: Package, *, error: Unprocessable) -> NoReturn:
    """Refuse an upload whose body was no good, and raise the reason."""
    push.refuse_upload(actor, push.start_upload(actor, package), error=error.detail)
    raise error


@contextmanager
def _checked(
    package: Package, bits: BinaryIO | None, resources: list[dict[str, Any]]
) -> Iterator[tuple[BinaryIO, list[Part], str]]:
    """Give the whole zip, what is in it, and the digest of that."""
    with spooled() as made:
        if bits is None:
            zipfile.ZipFile(made, "w").close()  # everything is known from before
        sent = made if bits is None else bits
        with opened(sent) as zipped:
            tree = Tree()
            archive = Archive(zipped, tree)
            known = _resources(package.app.organization, resources, tree)
            tree.check()
            if not tree.files:
                raise refused("there is no file in it. Upload the folder that holds the app.")
            completed = sum(file.size for _, _, file in known)
            check_bulk(unpacked=archive.unpacked + completed, packed=sent.seek(0, 2) + completed)
            parts = [*archive.parts(), *(Part(name, mode, f.sha1, f.sha256, f.size) for name, mode, f in known)]
            digest = digest_of(parts, archive.empty_folders())
            if archive.mended:
                _rewrite(archive, made)
        file = made if known or archive.mended else sent
        if file is not sent and not archive.mended:
            sent.seek(0)
            shutil.copyfileobj(sent, made, CHUNK)
        if known:
            _complete(made, known)
        if file.seek(0, 2) > settings.PAAS_UPLOAD_LIMIT:
            raise refused(f"with the files known from before it is larger than {settings.PAAS_UPLOAD_LIMIT >> 20} MB.")
        file.seek(0)
        yield file, parts, digest


def _resources(organization: Organization, resources: list[dict[str, Any]], tree: Tree) -> list[Resource]:
    """Find the files that the client did not send; only those of the same organization can be meant."""
    there = source_file.known(organization, [each["checksum"]["value"] for each in resources])
    found = []
    for each in resources:
        row = there.get(each["checksum"]["value"])
        if row is None or not row.key or row.size != each["size_in_bytes"]:
            raise Unprocessable(
                f"The file {shown(each['path'])} was not uploaded, and it is not known from an earlier push of this "
                "organization. Push again: it will be uploaded then."
            )
        mode = int(each.get("mode") or "644", 8)
        found.append((tree.file(each["path"]), effective(mode), row))
    return found


def _rewrite(archive: Archive, made: BinaryIO) -> None:
    """Write the entries anew, under the names that they should have had."""
    with zipfile.ZipFile(made, "w") as target:
        for name, entry in archive.names.items():
            with archive.zip.open(entry) as content:
                add(target, name, mode_of(entry) or stat.S_IFREG | 0o644, content)
        for name in archive.empty_folders():
            add(target, f"{name}/", stat.S_IFDIR | 0o755, b"", stored=True)


def _complete(made: BinaryIO, known: list[Resource]) -> None:
    with zipfile.ZipFile(made, "a") as archive:
        for name, mode, row in known:
            try:
                with outside.blobs().open(row.key) as content:
                    checked = _Checked(content)
                    add(archive, name, stat.S_IFREG | mode, checked)  # type: ignore[arg-type]
            except BlobNotFound:
                checked = None
            if checked is None or checked.digest.hexdigest() != row.sha256:
                source_file.forget(row)
                raise Unprocessable(
                    f"The file {shown(name)} is known from an earlier push, but no longer stored. "
                    "Push again: it will be uploaded then."
                )


class _Checked:
    """Reads on and keeps a digest of what was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self.digest.update(chunk)
        return chunk


def _keep(organization: Organization, file: BinaryIO, parts: list[Part]) -> list[KnownFile]:
    """Store the files that the next push need not send; those that are stored already are only named."""
    worth = {p.sha1: p for p in parts if not p.link and source_file.SMALLEST <= p.size <= source_file.LARGEST}
    there = source_file.known(organization, worth)
    files = []
    with opened(file) as zipped:
        entries = Archive(zipped, Tree()).names if worth.keys() - there.keys() else {}
        for sha1, part in worth.items():
            key = f"sources/{organization.guid}/{part.sha256}"
            if sha1 not in there:
                with zipped.open(entries[part.name]) as content:
                    outside.blobs().put(key, content)  # type: ignore[arg-type]
            files.append(KnownFile(sha1, part.sha256, part.size, key))
    return files
