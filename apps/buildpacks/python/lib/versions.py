"""Finds the Python that an app asks for among those that the stack has."""

import platform
import re
import tomllib
from pathlib import Path

from buildpack import read, refuse
from packaging.specifiers import InvalidSpecifier, SpecifierSet

PYTHON = Path("/usr/bin/python3")
THERE = platform.python_version()  # this script runs on the stack's own


def check(app: Path) -> None:
    """Refuse, with a sentence, an app that asks for a Python that the stack does not have."""
    for where, wanted in _wishes(app):
        try:
            fits = SpecifierSet(_specifier(wanted)).contains(THERE)
        except InvalidSpecifier:
            refuse(f"{where} asks for Python {wanted!r}, which is no version. Write 3.11, for example.")
        if not fits:
            short = ".".join(THERE.split(".")[:2])
            refuse(
                f"{where} asks for Python {wanted}, and this stack has Python {THERE} only. "
                f"Write {short} there (it stands for the newest {short}), or leave the version out."
            )


def _wishes(app: Path) -> list[tuple[str, str]]:
    """Return (file, version or specifier) of each place where the app says which Python it wants."""
    wishes = [("runtime.txt", read(app / "runtime.txt").strip().removeprefix("python-"))]
    lines = [line.strip() for line in read(app / ".python-version").splitlines()]
    wishes.append((".python-version", next((line for line in lines if line and not line.startswith("#")), "")))
    pipfile = _toml(app / "Pipfile").get("requires", {})
    wishes.append(("Pipfile", str(pipfile.get("python_full_version") or pipfile.get("python_version") or "")))
    project = _toml(app / "pyproject.toml").get("project", {})
    wishes.append(("pyproject.toml", str(project.get("requires-python", ""))))
    return [(where, wanted.strip()) for where, wanted in wishes if wanted.strip() not in ("", "*")]


def _toml(path: Path) -> dict:
    try:
        return tomllib.loads(read(path))
    except tomllib.TOMLDecodeError as error:
        refuse(f"{path.name} is not TOML ({error}). Correct it and push again.")


def _specifier(wanted: str) -> str:
    """Turn "3.11", "3.11.x" and "3.11.2" into specifiers; what is one stays."""
    exact = re.fullmatch(r"(\d+(?:\.\d+)*)(?:\.[x*])?", wanted)
    if not exact:
        return wanted
    return f"=={exact[1]}" + ("" if exact[1].count(".") == 2 else ".*")
