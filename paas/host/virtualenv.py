"""Makes the virtual environment from the hashed lock; the installs of one checkout share it."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import stamps
from .settings import CHECKOUT, TOOLS
from .shell import run, succeeds
from .steps import Steps

FOLDER = TOOLS / "venv"
PYTHON = FOLDER / "bin" / "python"
STAMP = TOOLS / "stamps" / "venv"
LOCK_FILE = CHECKOUT / "requirements.txt"


def key() -> str:
    return stamps.digest(LOCK_FILE, f"Python {sys.version_info[0]}.{sys.version_info[1]}")


def ensure(steps: Steps) -> None:
    """Install every package of the lock, unless that was done already."""
    if is_made():
        return
    with alone("venv"), steps.step("Creating the virtual environment from requirements.txt"):
        stamps.make(STAMP, key(), _make)


def is_made() -> bool:
    return STAMP.is_file() and STAMP.read_text() == key() and PYTHON.exists()


def _make() -> None:
    if not succeeds([PYTHON, "-m", "pip", "--version"]):
        run([sys.executable, "-m", "venv", "--clear", FOLDER])
    # --no-deps: the lock is whole, so there is nothing to resolve.
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    run([PYTHON, "-m", "pip", "install", *options, "--requirement", LOCK_FILE], environment=_trust())


def _trust() -> dict[str, str]:
    """Make pip trust what the machine trusts, where nothing else was said."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    return {} if "PIP_CERT" in os.environ or not Path(bundle).exists() else {"PIP_CERT": bundle}


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Let one process at a time work on what the installs of this checkout share."""
    lock = TOOLS / "stamps" / f"{what}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
