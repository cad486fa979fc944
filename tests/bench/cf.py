"""The same push through the `cf` command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.platform.client import Client


class Cf:
    """One person's `cf`, signed in and targeted at a space."""

    def __init__(self, client: Client, organization: str, space: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="bench-cf-"))
        self.source = self.home / "source"
        self.source.mkdir()
        self._cf("api", f"http://localhost:{client.port}")
        self._cf("auth", client.username, client.password)
        self._cf("target", "-o", organization, "-s", space)

    @staticmethod
    def is_there() -> bool:
        return shutil.which("cf") is not None

    def push(self, name: str, files: Mapping[str, str]) -> float:
        """Return the seconds until the command is done."""
        for file, content in files.items():
            (self.source / file).write_text(content)
        began = time.monotonic()
        self._cf("push", name, "-p", str(self.source))
        return time.monotonic() - began

    def remove(self) -> None:
        shutil.rmtree(self.home)

    def _cf(self, *words: str) -> None:
        environment = {**os.environ, "CF_HOME": str(self.home)}
        ended = subprocess.run(["cf", *words], env=environment, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, f"cf {words[0]}: {ended.stdout}{ended.stderr}"
