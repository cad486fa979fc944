"""Hands Envoy one file of resources and waits until it is in force."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from paas.seams.routers.admin import Admin, EnvoyDown, exactly
from paas.seams.routers.base import RouterRefused
from paas.seams.routers.folder import Folder, replace

# Where Envoy counts what became of each file, by the name of the file.
STATISTICS = {
    "cds": "cluster_manager.cds",
    "lds": "listener_manager.lds",
    "rds": "http.router.rds.apps",
}
PATIENCE = 20.0  # seconds; 10,000 routes take less than one


class Delivery:
    """Writes the files in ``folder``; the caller holds the folder's lock."""

    def __init__(self, folder: Folder, *, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._admin = Admin(folder.admin)
        self._patience = patience

    def deliver(self, kind: str, resources: Sequence[dict[str, Any]]) -> None:
        """Put the resources in place of those of this kind; return when they are in force.

        With no Envoy running the file is in place for its next start, and that is enough.
        Raises ``RouterRefused`` with Envoy's own reason.
        """
        content, version = _document(resources)
        path = self._folder.resources(kind)
        rejected = self._rejected(kind)
        logged = self._log_size()
        if not path.exists() or path.read_bytes() != content:
            replace(path, content)
        if rejected is not None:
            self._wait(kind, version, rejected=rejected, logged=logged)

    def confirm(self, kind: str) -> None:
        """Return when an Envoy that was just started has taken the file that lies there; raise ``RouterRefused``."""
        version = json.loads(self._folder.resources(kind).read_bytes())["version_info"]
        self._wait(kind, version, rejected=0, logged=0)

    def _wait(self, kind: str, version: str, *, rejected: int, logged: int) -> None:
        name = STATISTICS[kind]
        deadline = time.monotonic() + self._patience
        pause = 0.005
        while time.monotonic() < deadline:
            try:
                if self._admin.stats(exactly(f"{name}.version_text")).get(f"{name}.version_text") == version:
                    return
                if (self._rejected(kind) or 0) > rejected:
                    raise RouterRefused(f"The router refused its new {kind} file: {self._reason(logged)}")
            except EnvoyDown:
                pass  # it is being restarted: it reads the file again, or the deadline passes
            time.sleep(pause)
            pause = min(pause * 2, 0.2)
        raise RouterRefused(
            f"The router did not take its new {kind} file within {self._patience:.0f} seconds: {self._reason(logged)}"
        )

    def _rejected(self, kind: str) -> int | None:
        """Return how many files of this kind Envoy has refused so far, or None where no Envoy runs."""
        name = f"{STATISTICS[kind]}.update_rejected"
        try:
            return int(self._admin.stats(exactly(name)).get(name, "0"))
        except EnvoyDown:
            return None

    def _log_size(self) -> int:
        return self._folder.log.stat().st_size if self._folder.log.exists() else 0

    def _reason(self, since: int) -> str:
        """Return the last thing Envoy's log says about a refusal, which it gives nowhere else."""
        for _ in range(10):
            time.sleep(0.1)  # the log is written a moment after the count
            refusals = [line for line in self._logged(since) if "rejected" in line or "rror" in line]
            if refusals:
                return refusals[-1]
        return f"{self._folder.log} gives no reason."

    def _logged(self, since: int) -> list[str]:
        if not self._folder.log.exists():
            return []
        with self._folder.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace").splitlines()


def _document(resources: Sequence[dict[str, Any]]) -> tuple[bytes, str]:
    """Return the file's bytes and its version, which follows from the content: an equal file is an equal version."""
    body = json.dumps(resources, separators=(",", ":"))
    version = hashlib.sha256(body.encode()).hexdigest()[:16]
    return f'{{"version_info":"{version}","resources":{body}}}'.encode(), version
