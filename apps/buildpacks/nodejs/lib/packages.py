"""Installs an app's npm packages, from its cache where nothing has changed, and runs its build script."""

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from buildpack import link_tree, read, run, say, title
from manifest import Manifest

LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock")


class Packages:
    def __init__(self, app: Path, cache: Path, manifest: Manifest, environment: Mapping[str, str]) -> None:
        self._app, self._cache, self._manifest = app, cache, manifest
        self._environment = {
            "NODE_ENV": "production",
            "npm_package_config_node_gyp_nodedir": "/usr/local",
            "YARN_NODE_LINKER": "node-modules",
            **environment,
            "npm_config_cache": str(cache / "npm"),
            "YARN_CACHE_FOLDER": str(cache / "yarn"),
            "YARN_ENABLE_GLOBAL_CACHE": "false",
            "YARN_ENABLE_TELEMETRY": "0",
            "CI": "true",
        }
        self._yarn = (app / "yarn.lock").is_file()
        self._berry = "__metadata:" in read(app / "yarn.lock")

    @property
    def is_berry(self) -> bool:
        return self._yarn and self._berry

    def install(self, node: str) -> None:
        """Leave in the app what it needs to run; what only its build needs is there for the build alone."""
        build = next((name for name in ("build", "heroku-postbuild") if name in self._manifest.scripts), "")
        if self._manifest.has_packages:
            self._bring(node, whole=bool(build))
        else:
            say("No packages are asked for.")
        if build:
            title(f"Running the script {build!r}")
            self._run(*(("yarn", "run", build) if self._yarn else ("npm", "run", build)))
            if self._manifest.has_packages and self._environment["NODE_ENV"] == "production":
                self._prune()

    def _bring(self, node: str, *, whole: bool) -> None:
        modules, kept = self._app / "node_modules", self._cache / "node_modules"
        key = self._key(node, whole=whole)
        if key and kept.is_dir() and read(self._cache / "key") == key:
            title("Reusing the packages of the build before: package.json and its lock have not changed")
            link_tree(kept, modules)
            return
        title("Installing packages with " + ("Yarn" if self._yarn else "npm"))
        self._run(*self._install_command(whole=whole))
        (self._cache / "key").write_text(key)
        if key and modules.is_dir():
            link_tree(modules, kept)
        else:
            shutil.rmtree(kept, ignore_errors=True)

    def _install_command(self, *, whole: bool) -> list[str]:
        if self._berry:
            return ["yarn", "install", "--immutable"]
        if self._yarn:
            return ["yarn", "install", "--frozen-lockfile", "--non-interactive", f"--production={str(not whole).lower()}"]
        locked = any((self._app / name).is_file() for name in LOCKS)
        words = ["npm", "ci" if locked else "install", "--no-audit", "--no-fund", "--loglevel", "notice"]
        if not locked:
            say("There is no package-lock.json: versions are chosen anew. Push one, and every build uses the same.")
        return [*words, "--include=dev"] if whole else [*words, *self._omit()]

    def _omit(self) -> list[str]:
        return ["--omit=dev"] if self._environment["NODE_ENV"] == "production" else []

    def _prune(self) -> None:
        title("Removing what only the build needed")
        if self._berry:
            self._run("yarn", "workspaces", "focus", "--production")
        elif self._yarn:
            words = ("yarn", "install", "--production", "--ignore-scripts", "--prefer-offline", "--non-interactive")
            self._run(*words, "--frozen-lockfile")
        else:
            self._run("npm", "prune", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts")

    def _key(self, node: str, *, whole: bool) -> str:
        """Return what the packages follow from, "" where more than that decides."""
        lock = "".join(read(self._app / name) for name in LOCKS)
        if not lock or not self._manifest.is_whole or (self._app / "node_modules").exists():
            return ""
        settings = "".join(read(self._app / name) for name in (".npmrc", ".yarnrc", ".yarnrc.yml"))
        facts = [node, str(whole), self._environment["NODE_ENV"], read(self._app / "package.json"), lock, settings]
        return sha256("\0".join(facts).encode()).hexdigest()

    def _run(self, *words: str) -> None:
        run(words, self._environment, folder=self._app)
