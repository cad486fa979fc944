"""Takes a buildpack's zip in; what is wrong with it is told by the job, as Cloud Foundry's clients expect."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

from accounts.models import Job, User
from apps import outside
from apps.actions import buildpack as buildpacks
from apps.actions.manifest.document import MOST_BYTES, parsed
from apps.models import Buildpack
from apps.uploads.archive import Archive, check_bulk, opened
from apps.uploads.tree import Tree
from paas.lib.errors import MessageParseError, PaasError, Unprocessable
from paas.lib.models import new_guid

SCRIPTS = ("detect", "supply", "finalize", "compile", "release")


class BuildpackInvalid(PaasError):
    status, code, title = 422, 290003, "BuildpackInvalid"


class BuildpackZipError(PaasError):
    status, code, title = 422, 390013, "BuildpackZipError"


def receive_buildpack(actor: User, buildpack: Buildpack, bits: BinaryIO, *, filename: str) -> Job:
    """Make the buildpack ready with this zip; the job that comes back has failed where the zip is no good."""
    buildpacks.start_upload(actor, buildpack)
    try:
        stack = _checked(bits)
        bits.seek(0)
        blob = outside.blobs().put(f"buildpacks/{buildpack.guid}.{new_guid()}.zip", bits)
        return buildpacks.finish_upload(
            actor, buildpack, key=blob.key, sha256=blob.sha256, filename=filename, stack=stack
        )
    except PaasError as error:
        return buildpacks.refuse_upload(actor, buildpack, error=error)


def _checked(bits: BinaryIO) -> str | None:
    """Return the stack that the buildpack's manifest names; raise unless it is a buildpack."""
    try:
        with opened(bits) as zipped:
            tree = Tree()
            archive = Archive(zipped, tree)
            tree.check()
            check_bulk(unpacked=archive.unpacked, packed=bits.seek(0, 2))
            for _part in archive.parts():
                pass  # to the end: damage is noticed on the way
            root = _root(tree)
            return _stack(zipped, archive.names.get(f"{root}manifest.yml"))
    except Unprocessable as error:
        raise BuildpackZipError(f"Buildpack zip error: {error.detail}") from error


def _root(tree: Tree) -> str:
    """Return "" or the only folder's name with a slash, wherever ``bin`` is; the build looks in the same places."""
    tops = {name.split("/")[0] for name in tree.folders}
    roots = ["", *(f"{top}/" for top in tops if len(tops) == 1)]
    for root in roots:
        if any(f"{root}bin/{script}" in tree.files | tree.links.keys() for script in SCRIPTS):
            return root
    raise BuildpackInvalid(
        "The buildpack is invalid: it has no folder 'bin' with "
        f"{', '.join(SCRIPTS[:-1])} or {SCRIPTS[-1]}. Zip the buildpack's own folder."
    )


def _stack(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo | None) -> str | None:
    if entry is None or entry.file_size > MOST_BYTES:
        return None
    try:
        manifest: Any = parsed(zipped.read(entry))
    except MessageParseError as error:
        raise BuildpackInvalid("The buildpack is invalid: its manifest.yml cannot be read.") from error
    stack = manifest.get("stack") if isinstance(manifest, dict) else None
    return stack if isinstance(stack, str) and stack else None
