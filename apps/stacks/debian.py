"""Makes a minimal Debian file system, from where this machine takes its own packages."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SUITE = "bookworm"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class CommandFailed(Exception):
    """A command that must succeed did not; the message is a sentence with the command's last lines."""


def bootstrap(root: Path) -> None:
    """Install Debian's required packages into ``root``; some 40 seconds."""
    mirror = next((uri for uri, release, _ in archives() if release == SUITE), "")
    command = ["debootstrap", "--variant=minbase", SUITE, str(root)] + ([mirror] if mirror else [])
    run(command, environment=proxies())


def sources_list(root: Path) -> str:
    """Return the sources.list for an image: this machine's archives, or else what debootstrap chose."""
    lines = [f"deb {uri} {release} {component}" for uri, release, component in archives()]
    return "\n".join(lines) + "\n" if lines else (root / "etc/apt/sources.list").read_text()


def archives() -> list[tuple[str, str, str]]:
    """Return (address, release, component) of this machine's Debian archives of the suite; there may be none."""
    if not shutil.which("apt-get"):
        return []
    listed = subprocess.run(
        [
            *("apt-get", "indextargets", "Created-By: Packages", "Origin: Debian", f"Codename: {SUITE}"),
            *("--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {tuple(line.split()) for line in listed.splitlines()}
    return sorted((uri, release, part) for uri, release, part in found if uri.startswith(("http:", "https:")))


def proxies() -> dict[str, str]:
    """Return the proxies that this machine uses for its packages, for whatever fetches on its behalf."""
    found = {
        name: value for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy", "no_proxy")
    }
    if "http_proxy" not in found and shutil.which("apt-config"):
        said = subprocess.run(
            ["apt-config", "shell", "P", "Acquire::http::Proxy"], capture_output=True, text=True, check=True
        )
        if proxy := said.stdout.strip().removeprefix("P="):
            found["http_proxy"] = shlex.split(proxy)[0]
    return found


def ca_bundle() -> bytes:
    """Return the certificates that this machine trusts; the images trust the same."""
    path = Path(os.environ.get("SSL_CERT_FILE") or CA_BUNDLE)
    return path.read_bytes()


def run(command: list[str], *, environment: Mapping[str, str] | None = None, stdin: int | None = None) -> str:
    """Run a command and return its output; raise ``CommandFailed`` with the last lines of it."""
    ended = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        last = "\n".join(ended.stdout.splitlines()[-20:])
        raise CommandFailed(f"`{shlex.join(command)}` ended with status {ended.returncode}. Its last lines:\n{last}")
    return ended.stdout
