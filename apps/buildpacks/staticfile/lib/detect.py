"""Takes a Staticfile, or a page with nothing beside it that another buildpack would build."""

import sys
from pathlib import Path

OTHERS = ("Procfile", "package.json", "requirements.txt", "Pipfile", "pyproject.toml", "setup.py", "Gemfile", "composer.json")
OTHERS += ("go.mod", "pom.xml", "build.gradle", "index.php")


def main(app: Path) -> None:
    if (app / "Staticfile").is_file():
        print("staticfile")
    elif (app / "index.html").is_file() and not any((app / name).exists() for name in OTHERS):
        print("staticfile (index.html)")
    else:
        print("Staticfile, or index.html alone")
        sys.exit(1)
