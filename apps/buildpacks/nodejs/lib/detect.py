"""Takes an app with a package.json."""

import sys
from pathlib import Path


def main(app: Path) -> None:
    if not (app / "package.json").is_file():
        print("package.json")
        sys.exit(1)
    print("nodejs")
