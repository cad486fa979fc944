"""Hands Envoy one file of resources and waits until it is in force."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
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
PATIENCE = 20.0  # seconds; 10,000 routes take two


@dataclass(frozen=True)
class Document:
    """A file of resources. Its version follows from the content: an equal file is an equal version."""

    content: bytes
    version: str


@dataclass(frozen=True)
class Pending:
    """A file that Envoy may still be reading; what it had refused and logged before tells a new refusal."""

    kind: str
    version: str
    refused: int | None  # None: no Envoy runs, so there is nothing to wait for
    logged: int


def document(resources: Sequence[dict[str, Any]]) -> Document:
    body = json.dumps(resources, separators=(",", ":"))
    version = hashlib.sha256(body.encode()).hexdigest()[:16]
    return Document(content=f'{{"version_info":"{version}","resources":{body}}}'.encode(), version=version)


class Delivery:
    """Writes the files in ``folder``; the caller holds the folder's lock."""

    def __init__(self, folder: Folder, *, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._admin = Admin(folder.admin)
        self._patience = patience

    def deliver(self, kind: str, content: Document) -> None:
        """Put the file in place and return when it is in force.

        With no Envoy running the file is in place for its next start, and that is enough.
        Raises ``RouterRefused`` with Envoy's own reason.
        """
        self.wait(self.put(kind, content))

    def put(self, kind: str, content: Document) -> Pending:
        """Put the file in place and return at once."""
        pending = Pending(kind, content.version, refused=self._refused(kind), logged=self._log_size())
        path = self._folder.resources(kind)
        if not path.exists() or path.read_bytes() != content.content:
            replace(path, content.content)
        return pending

    def confirm(self, kind: str) -> None:
        """Return when an Envoy that was just started has taken the file that lies there; raise ``RouterRefused``."""
        version = json.loads(self._folder.resources(kind).read_bytes())["version_info"]
        self.wait(Pending(kind, version, refused=0, logged=0))

    def wait(self, pending: Pending) -> None:
        """Return when the file is in force; raise ``RouterRefused`` with Envoy's own reason."""
        if pending.refused is None:
            return
        deadline = time.monotonic() + self._patience
        pause = 0.005
        while time.monotonic() < deadline:
            try:
                if self._version(pending.kind) == pending.version:
                    return
                if (self._refused(pending.kind) or 0) > pending.refused:
                    raise RouterRefused(f"The router refused its new {pending.kind} file: {self._reason(pending)}")
            except EnvoyDown:
                pass  # it is being restarted: it reads the file again, or the deadline passes
            time.sleep(pause)
            pause = min(pause * 2, 0.2)
        raise RouterRefused(
            f"The router did not take its new {pending.kind} file within {self._patience:.0f} seconds: "
            f"{self._reason(pending)}"
        )

    def _version(self, kind: str) -> str:
        name = f"{STATISTICS[kind]}.version_text"
        return self._admin.stats(exactly(name)).get(name, "")

    def _refused(self, kind: str) -> int | None:
        """Return how many files of this kind Envoy has refused so far, or None where no Envoy runs."""
        name = f"{STATISTICS[kind]}.update_rejected"
        try:
            return int(self._admin.stats(exactly(name)).get(name, "0"))
        except EnvoyDown:
            return None

    def _log_size(self) -> int:
        return self._folder.log.stat().st_size if self._folder.log.exists() else 0

    def _reason(self, pending: Pending) -> str:
        """Return the last thing Envoy's log says about a refusal, which it gives nowhere else."""
        for _ in range(10):
            time.sleep(0.1)  # the log is written a moment after the count
            refusals = [line for line in self._logged(pending.logged) if "rejected" in line or "rror" in line]
            if refusals:
                return refusals[-1].rpartition("] ")[2]
        return f"{self._folder.log} gives no reason."

    def _logged(self, since: int) -> list[str]:
        if not self._folder.log.exists():
            return []
        with self._folder.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace").splitlines()
