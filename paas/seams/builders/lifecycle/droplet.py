"""Packs the droplet and the cache, and unpacks the cache of the build before."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from .place import HOME
from .voice import OTHER, Refused, warn

PARTS = ("app", "deps", "profile.d", "logs", "tmp")


def pack_droplet(target: Path, *, detected: str, start_command: str) -> None:
    """Write Cloud Foundry's droplet: what is unpacked into /home/vcap to run the app."""
    facts = {"detected_buildpack": detected, "start_command": start_command}
    (HOME / "staging_info.yml").write_text(json.dumps(facts))
    for part in PARTS:
        (HOME / part).mkdir(exist_ok=True)
    _pack(HOME, target, names=[*(f"./{part}" for part in PARTS), "./staging_info.yml"], level=3)


def pack_cache(cache: Path, target: Path) -> None:
    _pack(cache, target, names=["."], level=1)


def unpack_cache(archive: Path, cache: Path) -> None:
    """Bring back the cache of the build before; a broken one is as good as none."""
    cache.mkdir(parents=True, exist_ok=True)
    if not archive.is_file():
        return
    command = ["tar", "--use-compress-program=pigz", "-x", "-f", str(archive), "-C", str(cache)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        warn("The cache of the build before cannot be read. This build goes on without it.")
        subprocess.run(["rm", "-rf", str(cache)], check=True)
        cache.mkdir()


def fingerprint(cache: Path) -> str:
    """Return a digest of the folder's names, sizes and times, to tell whether it must be stored again."""
    digest = hashlib.sha256()
    for path in sorted(cache.rglob("*")):
        facts = path.lstat()
        if not path.is_dir():
            digest.update(
                f"{path}\0{facts.st_mode}\0{facts.st_size}\0{int(facts.st_mtime)}\n".encode(errors="surrogateescape")
            )
    return digest.hexdigest()


def _pack(folder: Path, target: Path, *, names: list[str], level: int) -> None:
    command = [
        "tar",
        f"--use-compress-program=pigz -{level}",
        "--format=posix",
        "--numeric-owner",
        "--warning=no-file-ignored",
    ]
    packed = subprocess.run(
        [*command, "-c", "-f", str(target), "-C", str(folder), *names], capture_output=True, text=True
    )
    if packed.returncode:
        raise Refused(OTHER, "StagingError", f"{target.name} could not be packed: {' '.join(packed.stderr.split())}")
