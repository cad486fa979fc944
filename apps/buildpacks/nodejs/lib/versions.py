"""Finds the Node.js that an app asks for: the stack's own, or another from the package registry."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from buildpack import link_tree, refuse, run, say

SEMVER = "/usr/local/lib/node_modules/npm/node_modules/semver"
CHOOSE = """
const semver = require(process.argv[1]), [range, versions] = JSON.parse(process.argv[2]);
const valid = semver.validRange(range);
const majors = [...new Set(versions.map(v => semver.major(v)))].filter(m => m >= 10 && (m % 2 === 0 || m > 22));
console.log(JSON.stringify([valid, valid && semver.maxSatisfying(versions, range), majors.sort((a, b) => a - b)]));
"""
# What comes with no npm of its own needs one that still runs on it.
OLDEST_FOR_NPM = ((20, ""), (18, "10"), (14, "8"), (10, "6"))


class Node:
    def __init__(self, cache: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self._cache, self._folder, self._environment = cache, folder, environment

    def supply(self, wanted: str) -> str:
        """Put the Node.js that fits first on the path; return its version."""
        own = subprocess.run(["/usr/local/bin/node", "--version"], capture_output=True, text=True, check=True).stdout
        own = own.strip().removeprefix("v")
        (self._folder / "bin").mkdir(exist_ok=True)
        if not wanted or self._choose(wanted, [own])[1]:
            say(f"Node.js {own}, of the stack" + (f" (package.json asks for {wanted})" if wanted else ""))
            return own
        version = self._find(wanted)
        say(f"Node.js {version} (package.json asks for {wanted})")
        self._fetch(version)
        self._supply_npm(int(version.split(".")[0]))
        return version

    def supply_npm(self, wanted: str) -> None:
        """Put another npm, or Yarn, first on the path; ``wanted`` is a package with its version."""
        run(
            ["npm", "install", "--global", "--prefix", self._folder / "tools", "--no-audit", "--no-fund", wanted],
            {**self._environment, "npm_config_cache": str(self._cache / "npm")},
            folder=self._folder,
        )
        for program in (self._folder / "tools" / "bin").iterdir():
            link = self._folder / "bin" / program.name
            link.unlink(missing_ok=True)
            link.symlink_to(f"../tools/bin/{program.name}")

    def _supply_npm(self, major: int) -> None:
        wanted = next((npm for oldest, npm in OLDEST_FOR_NPM if major >= oldest), "")
        if wanted:
            self.supply_npm(f"npm@{wanted}")
        node = self._folder / "bin" / "node"
        node.unlink(missing_ok=True)
        node.symlink_to("../node/bin/node")

    def _find(self, wanted: str) -> str:
        listed = subprocess.run(
            ["npm", "view", self._package(), "versions", "--json"], env=self._environment, capture_output=True, text=True
        )
        if listed.returncode:
            refuse(f"package.json asks for Node.js {wanted}, and the registry does not say which there are: {listed.stderr}")
        valid, version, majors = self._choose(wanted, json.loads(listed.stdout))
        if not valid:
            refuse(f'package.json asks under "engines" for Node.js {wanted!r}, which is no version. Write 24.x, for example.')
        if not version:
            there = ", ".join(f"{major}.x" for major in majors)
            refuse(f"package.json asks for Node.js {wanted}, and there is no such version. There are: {there}.")
        return version

    def _fetch(self, version: str) -> None:
        kept = self._cache / "node" / version
        if not kept.is_dir():
            folder = self._cache / "fetched"
            words = ["npm", "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
            run([*words, f"{self._package()}@{version}"], self._environment, folder=self._cache)
            run(["rm", "-rf", kept.parent], self._environment, folder=self._cache)
            kept.parent.mkdir()
            (folder / "node_modules" / self._package()).rename(kept)
            run(["rm", "-rf", folder], self._environment, folder=self._cache)
        link_tree(kept, self._folder / "node")
        run(["rm", "-rf", self._folder / "node" / "share"], self._environment, folder=self._cache)

    def _choose(self, wanted: str, versions: list[str]) -> list:
        words = ["/usr/local/bin/node", "-e", CHOOSE, SEMVER, json.dumps([wanted, versions])]
        return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    def _package(self) -> str:
        machine = os.uname().machine
        return f"node-linux-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"
