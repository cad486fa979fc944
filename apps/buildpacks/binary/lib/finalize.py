"""Leaves the app as it is, but for the right to run its own programs."""

import re
from pathlib import Path

import supplied
from buildpack import read, say

PROGRAM = re.compile(r"^[\w-]+\s*:\s*(?:exec\s+)?(?:\./)?([^\s;&|]+)", re.MULTILINE)


def main(app: Path, cache: Path, deps: Path, index: Path, profile: Path) -> None:
    for name in PROGRAM.findall(read(app / "Procfile")):
        program = app / name
        # An archive made on Windows knows no right to execute.
        if program.is_file() and program.resolve().is_relative_to(app) and not program.stat().st_mode & 0o100:
            program.chmod(program.stat().st_mode | 0o755)
            say(f"Made {name} executable.")
    supplied.write_profile(deps, profile)
