"""Supplies nginx, which the stack has."""

import subprocess
from pathlib import Path

from buildpack import title


def main(app: Path, cache: Path, deps: Path, index: Path) -> None:
    said = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=True).stderr
    version = said.strip().rpartition("/")[2]
    title(f"nginx {version}")
    (deps / index / "config.yml").write_text(f'name: staticfile\nversion: "{version}"\n')
