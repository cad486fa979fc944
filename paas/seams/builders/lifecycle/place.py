"""Where things are inside a build container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

INPUT = Path("/build")  # read-only
OUTPUT = Path("/out")
HOME = Path("/home/vcap")
TEMPORARY = Path("/tmp")  # noqa: S108  the build's own disk, nobody else's


@dataclass(frozen=True)
class Place:
    """Where the app is built: where it will run, so that absolute paths in it stay true.

    The cache is beside it, since a hard link from one to the other costs nothing, and none crosses a mount.
    """

    app: Path = HOME / "app"
    deps: Path = HOME / "deps"
    profile: Path = HOME / "profile.d"
    cache: Path = HOME / "cache"
