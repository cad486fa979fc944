"""Takes an app that says which Python packages it needs."""

import sys
import tomllib
from pathlib import Path

FILES = ("requirements.txt", "Pipfile", "uv.lock", "setup.py", "pyproject.toml")


def main(app: Path) -> None:
    found = next((name for name in FILES if (app / name).is_file() and _counts(app / name)), "")
    if not found:
        print(f"one of {', '.join(FILES)}")
        sys.exit(1)
    print(f"python ({found})")


def _counts(path: Path) -> bool:
    """A pyproject.toml may hold nothing but the settings of tools, also for an app that is no Python app."""
    if path.name != "pyproject.toml":
        return True
    try:
        content = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True  # so that the build can say what is wrong with it
    return "project" in content or "poetry" in content.get("tool", {})
