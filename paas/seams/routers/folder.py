"""Where the router keeps its files, and how one of them is replaced whole."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """``<state>/router``: what Envoy reads, what it writes, and what we remember of the last publish."""

    root: Path

    @classmethod
    def of(cls, state: Path) -> Folder:
        return cls(state.absolute() / "router")

    @property
    def bootstrap(self) -> Path:
        return self.root / "bootstrap.json"

    @property
    def front(self) -> Path:
        """How to listen and where the console is, as last given to ``write_bootstrap``."""
        return self.root / "front.json"

    @property
    def routes(self) -> Path:
        """The routes in force: what is restored when the next ones are refused."""
        return self.root / "routes.json"

    @property
    def admin(self) -> Path:
        return self.root / "admin.sock"

    @property
    def access_log(self) -> Path:
        return self.root / "access.log"

    @property
    def log(self) -> Path:
        return self.root / "envoy.log"

    def resources(self, kind: str) -> Path:
        return self.root / f"{kind}.json"

    def make(self) -> None:
        """Create the folder, closed to other users: the listener's file holds a private key."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change the files; the kernel lets go of a dead holder's lock."""
        with (self.root / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step that also survives a power cut."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
