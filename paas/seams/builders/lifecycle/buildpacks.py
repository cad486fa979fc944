"""Brings a build's buildpacks into the container: built in, zipped, or from an address."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .archive import unpack
from .place import INPUT, TEMPORARY
from .voice import OTHER, Refused, say

FETCHED = TEMPORARY / "buildpacks"
SCHEMES = ("http", "https", "git", "ssh")


@dataclass(frozen=True)
class Buildpack:
    """A buildpack's folder; ``key`` names its part of the cache."""

    name: str
    folder: Path
    key: str

    def has(self, script: str) -> bool:
        return (self.folder / "bin" / script).is_file()

    def command(self, script: str, *arguments: Path | str) -> list[str]:
        return [str(self.folder / "bin" / script), *map(str, arguments)]


def obtain(reference: dict[str, Any], number: int) -> Buildpack:
    """Return the buildpack that a request's reference names, fetched and made executable."""
    name, kind, location = str(reference["name"]), reference["kind"], str(reference["location"])
    folder = FETCHED / str(number)
    if kind == "builtin":
        folder = INPUT / "buildpacks" / location
    elif kind == "blob":
        unpack(INPUT / "buildpacks" / f"{number}.zip", folder)
    elif urlsplit(location).path.endswith(".zip"):
        _download(location, folder)
    else:
        _clone(location, folder)
    return Buildpack(
        _public(name), _root(folder, _public(name)), sha256(f"{kind} {location}".encode()).hexdigest()[:16]
    )


def _root(folder: Path, name: str) -> Path:
    """Find ``bin`` in the folder, or in the only folder inside it, and make what is in it executable."""
    inner = [entry for entry in folder.iterdir() if entry.is_dir()]
    candidates = [folder, *inner] if len(inner) == 1 else [folder]
    root = next((candidate for candidate in candidates if (candidate / "bin").is_dir()), None)
    if root is None:
        raise _refused(name, "it has no folder 'bin', so it is not a buildpack")
    if INPUT not in root.parents:
        for script in (root / "bin").iterdir():
            if script.is_file():
                script.chmod(script.stat().st_mode | 0o111)
    return root


def _download(url: str, folder: Path) -> None:
    say(f"Downloading buildpack {_public(url)}")
    archive = folder.with_suffix(".zip")
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("only http and https addresses of zips are fetched")
        with urllib.request.urlopen(url, timeout=30) as answer, archive.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file, 1 << 20)
    except (urllib.error.URLError, ValueError, TimeoutError) as error:
        raise _refused(_public(url), f"it could not be downloaded ({error}); check the address") from error
    unpack(archive, folder)
    archive.unlink()


def _clone(url: str, folder: Path) -> None:
    address, _, ref = url.partition("#")
    public = _public(address)
    say(f"Cloning buildpack {public}" + (f" at {ref}" if ref else ""))
    if urlsplit(address).scheme not in SCHEMES:
        raise _refused(public, f"its address starts with none of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if ref.startswith("-"):
        raise _refused(public, f"{ref!r} is not a branch or a tag")
    command = ["git", "clone", "--quiet", "--depth", "1", "--recurse-submodules", "--shallow-submodules"]
    command += (["--branch", ref] if ref else []) + ["--", address, str(folder)]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES)}
    cloned = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if cloned.returncode:
        said = " ".join(cloned.stderr.replace(address, public).split())
        raise _refused(public, f"git could not clone it ({said}); check the address, the branch and that it is public")


def _public(url: str) -> str:
    """Return the address without the user and password that it may carry."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=re.sub(r"^.*@", "", parts.netloc))) if parts.netloc else url


def _refused(name: str, why: str) -> Refused:
    return Refused(OTHER, "StagingError", f"The buildpack {name} cannot be used: {why}.")
