"""Unpacks droplets onto disks, and keeps the latest ones uncompressed, since that is most of the work."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

# As the app's own user: whatever a droplet holds, unpacking it can then harm nothing but its own disk.
AS_APP = ["setpriv", "--reuid=2000", "--regid=2000", "--clear-groups", "--no-new-privs"]
KEPT_BYTES = 2 << 30
TIMEOUT = 600


class Droplets:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def unpack(self, droplet: Path, digest: str, target: Path, *, room: int) -> str:
        """Unpack into the folder, which has ``room`` bytes; return tar's complaint, "" when all went well."""
        tar = self._uncompressed(droplet, digest, room)
        with (tar or droplet).open("rb") as source:
            command = [*AS_APP, "tar", "--extract", "--no-same-owner", "--file", "-"]
            ended = subprocess.run(
                command if tar else [*command, "--gzip"],
                cwd=target,
                stdin=source,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        return ended.stderr.strip()[-2000:] or f"status {ended.returncode}" if ended.returncode else ""

    def _uncompressed(self, droplet: Path, digest: str, room: int) -> Path | None:
        """Return the droplet's kept .tar, made now if need be; None where the machine's disk has no room for it."""
        if not digest:
            return None
        kept = self.folder / f"{digest}.tar"
        with self.lock:
            if kept.exists():
                os.utime(kept)
                return kept
            new = kept.with_suffix(".new")
            with new.open("wb") as file:
                # Bounded, or a droplet that is a bomb would fill the machine's disk.
                command = ["prlimit", f"--fsize={room + (64 << 20)}", "gzip", "--decompress", "--stdout", str(droplet)]
                ended = subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
            if ended.returncode:
                new.unlink()
                return None  # tar says what is wrong, in the one place where that is told
            new.replace(kept)
            self._trim(keep=kept)
        return kept

    def _trim(self, keep: Path) -> None:
        files = sorted(self.folder.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in files:
            total += path.stat().st_size
            if total > KEPT_BYTES and path != keep:
                path.unlink()
