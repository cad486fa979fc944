"""Prints the start command."""

from pathlib import Path


def main(app: Path) -> None:
    print('default_process_types: {web: "$HOME/boot.sh"}')
