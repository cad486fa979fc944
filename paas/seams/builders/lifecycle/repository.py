"""Fetches an app's source from a git repository, as anybody could who knows its address."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .voice import OTHER, Refused, say, step

SCHEMES = ("http", "https", "git")


def fetch(repository: dict[str, Any], folder: Path) -> int:
    """Put the files of one branch, tag or commit into ``folder``, without their history; return how many there are."""
    url, ref = str(repository["url"]), str(repository["ref"])
    step("fetch", "Fetch the repository")
    if urlsplit(url).scheme not in SCHEMES:
        raise _refused(url, f"its address starts with none of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if ref.startswith("-"):
        raise _refused(url, f"{ref!r} is not a branch, a tag or a commit")
    say(f"Fetching {url}" + (f" at {ref}" if ref else ""))
    _git(url, folder, "init", "--quiet")
    _git(url, folder, "fetch", "--quiet", "--depth", "1", "--", url, ref or "HEAD")
    _git(url, folder, "checkout", "--quiet", "FETCH_HEAD")
    _git(url, folder, "submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1")
    say(f"Commit {_git(url, folder, 'log', '-1', '--format=%H, %s').strip()}")
    for history in sorted(folder.rglob(".git")):
        shutil.rmtree(history) if history.is_dir() else history.unlink()
    files = sum(1 for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    if not files:
        raise _refused(url, "there is no file in it")
    return files


def _git(url: str, folder: Path, *words: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES)}
    command = ["git", "-C", str(folder), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise _refused(url, f"git could not fetch it ({said}); check the address, the branch and that it is public")
    return done.stdout


def _refused(url: str, why: str) -> Refused:
    return Refused(OTHER, "StagingError", f"The repository {url} cannot be built: {why}.")
