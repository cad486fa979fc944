"""How a built-in buildpack speaks, runs commands and gives up."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


def title(text: str) -> None:
    print(f"-----> {text}", flush=True)


def say(text: str) -> None:
    print(f"       {text}", flush=True)


def refuse(sentence: str) -> NoReturn:
    """End the build with a sentence: what happened, the likely cause, what to do."""
    print(f"       **ERROR** {sentence}", file=sys.stderr, flush=True)
    sys.exit(1)


def run(command: Sequence[str | Path], environment: Mapping[str, str], *, folder: Path) -> None:
    """Run a command whose output is the build's; if it fails, so does the buildpack, and its output says why."""
    if status := subprocess.run([str(word) for word in command], env=environment, cwd=folder).returncode:
        sys.exit(status if 0 < status < 128 else 1)


def answer(command: Sequence[str | Path], environment: Mapping[str, str], *, folder: Path) -> str:
    """Run a command for what it prints; its complaints are the build's."""
    ended = subprocess.run([str(word) for word in command], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
    if ended.returncode:
        print(ended.stdout, flush=True)
        sys.exit(1)
    return ended.stdout


def link_tree(source: Path, target: Path) -> None:
    """Make ``target`` the same tree as ``source``, sharing the files: a copy that takes neither time nor space."""
    subprocess.run(["rm", "-rf", str(target)], check=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--link", str(source), str(target)], check=True)


def read(path: Path) -> str:
    """Return the text of one of the app's files, "" where it has none."""
    return path.read_bytes().decode("utf-8-sig", "replace") if path.is_file() else ""


def is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() not in ("", "0", "false", "no")
