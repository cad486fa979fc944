"""Supplies Node.js with the app's packages in node_modules."""

import shutil
from pathlib import Path

import supplied
from buildpack import title
from manifest import Manifest
from packages import Packages
from versions import Node

PROFILE = """\
export NODE_ENV="${NODE_ENV:-production}"
"""


def main(app: Path, cache: Path, deps: Path, index: Path) -> None:
    folder = deps / index
    title("Node.js")
    manifest = Manifest(app)
    (folder / "bin").mkdir(exist_ok=True)
    environment = {**supplied.environment(deps), "npm_config_update_notifier": "false"}
    node = Node(cache, folder, environment)
    version = node.supply(manifest.node)
    if (folder / "node").is_dir():
        environment["npm_package_config_node_gyp_nodedir"] = str(folder / "node")  # the headers, for packages with parts in C
    packages = Packages(app, cache, manifest, environment)
    if manifest.npm:
        node.supply_npm(f"npm@{manifest.npm}")
    if packages.is_berry or manifest.manager:
        node.supply_npm(_yarn(manifest.manager))
    packages.install(version)
    shutil.rmtree(folder / "node" / "include", ignore_errors=True)  # nothing is compiled at run time
    (folder / "profile.d").mkdir(exist_ok=True)
    (folder / "profile.d" / "nodejs.sh").write_text(PROFILE)
    (folder / "config.yml").write_text(f'name: nodejs\nversion: "{version}"\n')


def _yarn(version: str) -> str:
    """Return the package of the Yarn asked for; from version 2 on it has another name."""
    if not version:
        return "@yarnpkg/cli-dist@4"
    return f"yarn@{version}" if version.startswith("1.") else f"@yarnpkg/cli-dist@{version}"
