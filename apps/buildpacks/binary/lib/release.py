"""Names no process: the Procfile or the app's start command does."""

from pathlib import Path


def main(app: Path) -> None:
    print("default_process_types: {}")
