"""Reads what package.json says that the build needs."""

import json
from pathlib import Path
from typing import Any

from buildpack import read, refuse


class Manifest:
    def __init__(self, app: Path) -> None:
        try:
            content = json.loads(read(app / "package.json"))
        except json.JSONDecodeError as error:
            refuse(f"package.json is not JSON ({error}). Correct it and push again.")
        if not isinstance(content, dict):
            refuse("package.json does not hold an object: it should begin with { and end with }.")
        self._app, self._content = app, content

    @property
    def node(self) -> str:
        """The range of Node.js versions asked for, "" for any."""
        return str(self._table("engines").get("node") or "").strip()

    @property
    def npm(self) -> str:
        return str(self._table("engines").get("npm") or "").strip()

    @property
    def manager(self) -> str:
        """The version of Yarn in ``packageManager`` ("yarn@4.1.0+sha..."), "" where it names none."""
        name, _, version = str(self._content.get("packageManager") or "").partition("@")
        return version.partition("+")[0] if name == "yarn" else ""

    @property
    def scripts(self) -> dict[str, Any]:
        return self._table("scripts")

    @property
    def has_packages(self) -> bool:
        kinds = ("dependencies", "devDependencies", "optionalDependencies")
        return any(self._table(kind) for kind in kinds) or "workspaces" in self._content

    @property
    def is_whole(self) -> bool:
        """Whether the packages follow from package.json and the lock alone, and from no other file of the app."""
        own = {"preinstall", "install", "postinstall", "prepare", "prepublish"} & set(self.scripts)
        kinds = ("dependencies", "devDependencies", "optionalDependencies")
        wanted = [str(version) for kind in kinds for version in self._table(kind).values()]
        linked = any(version.startswith(("file:", "link:", "portal:", "patch:", "workspace:")) for version in wanted)
        return not own and not linked and "workspaces" not in self._content

    def start(self) -> str:
        """Return the command of the web process, "" where there is none to see."""
        if "start" in self.scripts or (self._app / "server.js").is_file():
            return "npm start"
        main = str(self._content.get("main") or "index.js")
        return f"node {main}" if (self._app / main).is_file() and main.replace("/", "").replace(".", "").isalnum() else ""

    def _table(self, name: str) -> dict[str, Any]:
        value = self._content.get(name)
        return value if isinstance(value, dict) else {}
