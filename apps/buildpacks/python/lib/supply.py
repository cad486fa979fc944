"""Supplies Python with the app's packages: deps/N is a virtual environment, so that deps/N/bin is its bin."""

from pathlib import Path

import supplied
import versions
from buildpack import title
from packages import Packages

PROFILE = """\
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED:-1}"
export PYTHONHASHSEED="${PYTHONHASHSEED:-random}"
export VIRTUAL_ENV="$DEPS_DIR/%s"
"""


def main(app: Path, cache: Path, deps: Path, index: Path) -> None:
    versions.check(app)
    title(f"Python {versions.THERE}")
    folder = deps / index
    folder.rmdir()  # the runner made it; whoever makes the virtual environment wants to do that
    Packages(app, cache, folder, supplied.environment(deps)).install()
    (folder / "profile.d").mkdir(exist_ok=True)
    (folder / "profile.d" / "python.sh").write_text(PROFILE % index)
    (folder / "config.yml").write_text(f'name: python\nversion: "{versions.THERE}"\n')
