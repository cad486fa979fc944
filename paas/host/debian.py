"""Installs what the platform needs from Debian packages, after saying what."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from .shell import HostError, run
from .steps import Steps

# What has to be there -> the package that brings it. A command, a file, or a Python module (with a colon in front).
NEEDS = {
    "debootstrap": "debootstrap",  # the images' file system
    "iptables": "iptables",
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",  # the instances' disks
    "losetup": "mount",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "tar": "tar",
    "xz": "xz-utils",
    "git": "git",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
    ":ensurepip": "python3-venv",
}
TESTS_NEED = {"chromium": "chromium", "mvn": "maven", "javac": "default-jdk-headless"}
ENGINE_NEEDS = {"dockerd": "docker.io", "docker": "docker.io"}
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def check_machine() -> None:
    """Raise ``HostError`` where this is not a machine that we can install on."""
    if os.geteuid() != 0:
        raise HostError("The platform makes mounts and firewall rules, so it runs as root. Try `sudo make run`.")
    if not shutil.which("apt-get"):
        raise HostError("This machine has no apt-get. The platform installs itself on Debian 12.")
    os.environ["PATH"] += f":{SBIN}"  # a shell that became root with `su` has none of these


def missing(needs: dict[str, str]) -> list[str]:
    """Return the packages that bring what is not there, in alphabetical order."""
    return sorted({package for need, package in needs.items() if not _is_there(need)})


def _is_there(need: str) -> bool:
    if need.startswith("/"):
        return Path(need).exists()
    if need.startswith(":"):
        return importlib.util.find_spec(need[1:]) is not None
    return shutil.which(need) is not None


def install(packages: list[str], steps: Steps) -> None:
    """Install the packages with what they depend on, and nothing that they merely recommend."""
    if not packages:
        return
    with steps.step(f"Installing from Debian: {', '.join(packages)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
        wait = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
        run(["apt-get", *wait, "--quiet", "update"], environment=quiet)
        run(["apt-get", *wait, "--quiet", "--yes", "--no-install-recommends", "install", *packages], environment=quiet)
