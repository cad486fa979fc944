"""Prints the start command that follows from package.json."""

import json
from pathlib import Path

from manifest import Manifest


def main(app: Path) -> None:
    start = Manifest(app).start()
    print(json.dumps({"default_process_types": {"web": start} if start else {}}))
