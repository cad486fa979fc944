"""Archives as clients and browsers send them, good ones and bad ones."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

SOURCE = {"Procfile": "web: python app.py\n", "app.py": "print('hello')\n"}
LARGE = b"0123456789abcdef" * 8192  # 128 KiB: worth remembering
Content = str | bytes


def zipped(
    files: Mapping[str, Content] = SOURCE, *, links: Mapping[str, str] | None = None, **kinds: int
) -> io.BytesIO:
    """A zip of these files; ``kinds`` gives names another mode than that of a plain file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry(archive, name, content, kinds.get(name, stat.S_IFREG | 0o644))
        for name, target in (links or {}).items():
            entry(archive, name, target, stat.S_IFLNK | 0o777)
    packed.seek(0)
    return packed


def entry(archive: zipfile.ZipFile, name: str, content: Content, mode: int) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def tarred(files: Mapping[str, Content], *, mode: str = "w", **others: tuple[bytes, str]) -> io.BytesIO:
    """A tar of these files; ``others`` are entries of another type, which lead to something."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755 if data.startswith(b"#!") else 0o644
            archive.addfile(info, io.BytesIO(data))
        for name, (kind, target) in others.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    packed.seek(0)
    return packed


def names_in(packed: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(packed) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def upload(content: bytes, name: str = "package.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def resource(path: str, content: bytes, **changes: Any) -> dict[str, Any]:
    """How a client describes a file that it has got."""
    sha1 = hashlib.sha1(content).hexdigest()
    return {"path": path, "mode": "644", "checksum": {"value": sha1}, "size_in_bytes": len(content), **changes}
