"""Takes an app that says itself how it is started."""

import sys
from pathlib import Path


def main(app: Path) -> None:
    if not (app / "Procfile").is_file():
        print("a Procfile")
        sys.exit(1)
    print("binary (Procfile)")
