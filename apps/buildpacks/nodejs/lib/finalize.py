"""Writes the profile scripts."""

from pathlib import Path

import supplied
from buildpack import say
from manifest import Manifest


def main(app: Path, cache: Path, deps: Path, index: Path, profile: Path) -> None:
    if not (app / "Procfile").is_file() and not Manifest(app).start():
        say('package.json has no script "start", and there is no server.js: add one, or a Procfile.')
    supplied.write_profile(deps, profile)
