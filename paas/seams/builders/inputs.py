"""Lays out what a build may see on its disk: source, cache, buildpacks, and the runner with its request."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from paas.seams.blobs.base import BlobNotFound, Blobs
from paas.seams.builders.base import BuildFailed, BuildRequest
from paas.seams.builders.disk import USER
from paas.seams.builders.watch import Watch, watched

RUNNER = Path(__file__).with_name("lifecycle")


def lay_out(request: BuildRequest, folder: Path, *, blobs: Blobs, buildpacks: Path, watch: Watch) -> None:
    """Fill ``folder``, which the build can read and not write."""
    shutil.copytree(RUNNER, folder / "lifecycle", ignore=shutil.ignore_patterns("__pycache__"))
    if not request.source_url:
        _fetch(blobs, request.source_key, folder / "source.zip", watch=watch, missing="The pushed source")
    with suppress(BlobNotFound):  # the app's first build, or its cache was collected
        _fetch(blobs, request.cache_key, folder / "cache.tgz", watch=watch)
    _copy_builtin(request, buildpacks, folder / "buildpacks")
    for number, reference in enumerate(request.buildpacks):
        if reference.kind == "blob":
            name = f"The buildpack {reference.name}"
            _fetch(blobs, reference.location, folder / "buildpacks" / f"{number}.zip", watch=watch, missing=name)
    _make_readable(folder)
    _write_request(request, folder / "request.json")


def _write_request(request: BuildRequest, path: Path) -> None:
    content: Mapping[str, Any] = {
        "buildpacks": [vars(reference) for reference in request.buildpacks],
        "detect": request.detect,
        "repository": {"url": request.source_url, "ref": request.source_ref} if request.source_url else None,
        # In a file of the build's own, and not in the container's description, where the engine would show it.
        "environment": dict(request.environment),
    }
    path.touch(mode=0o400)
    path.write_text(json.dumps(content))
    os.chown(path, USER, USER)


def _fetch(blobs: Blobs, key: str, target: Path, *, watch: Watch, missing: str = "") -> None:
    try:
        with blobs.open(key) as blob, target.open("wb") as file:
            shutil.copyfileobj(watched(blob, watch), file, 1 << 20)
    except BlobNotFound as error:
        if not missing:
            raise
        raise BuildFailed("StagingError", f"{missing} is no longer stored. Push (or upload) it again.") from error


def _copy_builtin(request: BuildRequest, buildpacks: Path, target: Path) -> None:
    """Copy the built-in buildpacks, all of them: they are small, and share a folder ``lib``."""
    wanted = [reference for reference in request.buildpacks if reference.kind == "builtin"]
    for reference in wanted:
        if (buildpacks / reference.location).parent != buildpacks or not (
            buildpacks / reference.location / "bin"
        ).is_dir():
            raise BuildFailed(
                "StagingError",
                f"The platform has no built-in buildpack {reference.name}. `cf buildpacks` lists those that it has.",
            )
    if wanted:
        shutil.copytree(buildpacks, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir()


def _make_readable(folder: Path) -> None:
    """Let the build read it all, whatever umask the platform's own files were checked out with."""
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
