"""Names the images after their definitions, and builds those that the engine does not have."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import debian

HERE = Path(__file__).parent
LOCK = Path("/run/lock/paas-stacks")
DEFAULT = "debian12"

Say = Callable[[str], None]


def base_image_name() -> str:
    """Return the name of the image below all others, for instance ``paas/base:0a1b2c3d4e5f``."""
    return f"paas/base:{_digest('base', debian.SUITE, platform.machine())}"


def image_name(stack: str = DEFAULT) -> str:
    """Return the name of the stack's image; it changes with the definition, or with that of the base."""
    return f"paas/stack-{stack}:{_digest(stack, base_image_name())}"


def ensure_base(say: Say) -> str:
    """Build the base image unless the engine has it; return its name."""
    name = base_image_name()
    with _alone():
        if not _exists(name):
            with _timed(say, f"Building the base image {name} (Debian {debian.SUITE})"):
                _build_base(name)
    return name


def ensure(say: Say, stack: str = DEFAULT) -> str:
    """Build the stack's image, and the base below it, unless the engine has them; return its name."""
    name = image_name(stack)
    base = ensure_base(say)
    with _alone():
        if not _exists(name):
            with _timed(say, f"Building the stack image {name} (languages and build tools)"):
                _docker_build(HERE / stack, name, base=base)
    return name


def remove(say: Say) -> None:
    """Remove every image that this module ever built on this engine and that no container uses."""
    listed = debian.run(
        ["docker", "image", "ls", "--filter", "label=paas.stacks=image", "--format", "{{.Repository}}:{{.Tag}}"]
    )
    for name in sorted(listed.split(), reverse=True):  # the stacks before the base that they stand on
        try:
            debian.run(["docker", "image", "rm", name])
        except debian.CommandFailed as error:
            if "is using" not in str(error):
                raise
            say(f"Left the image {name}: a container of another install uses it.")
        else:
            say(f"Removed the image {name}.")


def _build_base(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="paas-base-", dir="/var/tmp") as folder:
        root, context = Path(folder, "root"), Path(folder, "context")
        debian.bootstrap(root)
        shutil.copytree(HERE / "base", context)
        (context / "sources.list").write_text(debian.sources_list(root))
        (context / "ca.crt").write_bytes(debian.ca_bundle())
        _docker_build(context, name, base=_import(root))


def _import(root: Path) -> str:
    """Hand a folder to the engine as an image without a name, which goes when the last one above it does."""
    with subprocess.Popen(["tar", "--numeric-owner", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        assert tar.stdout
        imported = debian.run(["docker", "import", "-"], stdin=tar.stdout.fileno())
    if tar.returncode:
        raise debian.CommandFailed(f"Packing {root} ended with status {tar.returncode}.")
    return imported.split()[-1]


def _docker_build(context: Path, name: str, *, base: str) -> None:
    # The engine's own builder, which every Debian engine has; the host's network, since the engine's default
    # bridge may be closed, and since the host's proxies and names are known to work there.
    command = [
        "docker",
        "build",
        "--quiet",
        "--force-rm",
        "--network",
        "host",
        "--label",
        "paas.stacks=image",
        "--tag",
        name,
    ]
    command += ["--build-arg", f"BASE={base}"]
    passed = {"PIP_INDEX_URL", "NPM_CONFIG_REGISTRY"} & set(os.environ) | set(proxies := debian.proxies())
    for argument in sorted(passed):
        command += ["--build-arg", argument]  # the value is read from the environment, and shows in no process list
    debian.run([*command, str(context)], environment={**proxies, "DOCKER_BUILDKIT": "0"})
    debian.run(["docker", "image", "prune", "--force", "--filter", "label=paas.stacks=tools"])


def _exists(name: str) -> bool:
    return bool(debian.run(["docker", "image", "ls", "--quiet", name]).strip())


def _digest(folder: str, *parents: str) -> str:
    """Return twelve hex digits that stand for the folder's content and what is below it."""
    if not (HERE / folder / "Dockerfile").is_file():
        raise LookupError(f"There is no stack {folder!r} in {HERE}.")
    digest = hashlib.sha256("\n".join(parents).encode())
    for path in sorted(path for path in (HERE / folder).rglob("*") if path.is_file()):
        digest.update(f"\0{path.relative_to(HERE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time build: two installs of one machine want the same images."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _timed(say: Say, what: str) -> Iterator[None]:
    say(f"{what} ...")
    began = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - began:.0f} s.")
