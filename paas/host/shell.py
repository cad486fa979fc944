"""Runs commands, and turns those that fail into sentences."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

QUOTED_LINES = 20


class HostError(Exception):
    """Something on this machine stops us; the message is whole sentences: what happened, and what to do."""


def run(
    command: Sequence[str | Path],
    *,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float | None = None,
    secret: bool = False,
) -> str:
    """Return what the command prints on its standard output; raise ``HostError`` with its last lines.

    ``environment`` is added to ours; ``secret`` keeps the command itself out of the error.
    """
    words = [str(word) for word in command]
    try:
        ended = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            timeout=timeout,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise HostError(f"The command {words[0]} is not on this machine.") from error
    except subprocess.TimeoutExpired as error:
        raise HostError(f"`{words[0]}` did not end within {timeout:.0f} s.") from error
    if ended.returncode:
        shown = words[0] if secret else shlex.join(words)
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-QUOTED_LINES:])
        raise HostError(f"`{shown}` ended with status {ended.returncode}. Its last lines:\n{last}")
    return ended.stdout


def succeeds(command: Sequence[str | Path]) -> bool:
    """Tell whether the command ends with status 0; its output is dropped."""
    try:
        run(command)
    except HostError:
        return False
    return True
