"""Unpacks zips that came from outside without letting anything land outside the folder."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from .voice import OTHER, Refused


def unpack(archive: Path, root: Path) -> int:
    """Unpack a zip into ``root`` with its modes and inner links; return the number of files."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            return _unpack(zipped, root)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _refused(f"{archive.name} is not a zip that can be read ({error})") from error


def _unpack(zipped: zipfile.ZipFile, root: Path) -> int:
    links: list[tuple[Path, str]] = []
    files = 0
    for entry in zipped.infolist():
        path = _inside(root, entry.filename)
        mode = entry.external_attr >> 16
        if entry.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(mode):
            links.append((path, zipped.read(entry).decode()))
        elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
            with zipped.open(entry) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            path.chmod(stat.S_IMODE(mode) & 0o777 | 0o600 if mode else 0o644)
            files += 1
        else:
            raise _refused(f"{entry.filename} is neither a file nor a folder")
    for path, target in links:  # last, so that nothing is ever written through one
        _link(root, path, target=target)
    return files


def _inside(root: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name or not pure.parts:
        raise _refused(f"{name!r} would leave the app's folder")
    return root / pure


def _link(root: Path, path: Path, *, target: str) -> None:
    landing = os.path.normpath(path.parent.relative_to(root) / target)
    if os.path.isabs(target) or landing.split("/")[0] == "..":
        raise _refused(f"the link {path.relative_to(root)} -> {target} leaves the app's folder")
    if path.parent.resolve() != path.parent or path.is_symlink() or path.exists():
        raise _refused(f"the link {path.relative_to(root)} collides with another entry")
    path.symlink_to(target)


def _refused(what: str) -> Refused:
    return Refused(OTHER, "StagingError", f"The archive was refused: {what}. Pack it again and push once more.")
