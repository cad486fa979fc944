"""Builds the images of the platform's own servers (PostgreSQL, Redis) on the base image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apps import stacks

from . import stamps
from .engine import docker, inspect
from .shell import HostError

DEFINITIONS = Path(__file__).parent / "images"
LABEL = "paas.host"


def name(server: str) -> str:
    """Return the image's name, which changes with its definition: for instance ``paas/redis:0a1b2c3d4e5f``."""
    key = stamps.digest(DEFINITIONS / server, stacks.base_image_name())
    return f"paas/{server}:{key[:12]}"


def ensure_base(say: Callable[[str], None]) -> str:
    """Build the base image unless the engine has it; return its name."""
    return _told(stacks.ensure_base, say)


def ensure_stack(say: Callable[[str], None]) -> str:
    """Build the default stack's image unless the engine has it; return its name."""
    return _told(stacks.ensure, say)


def ensure(server: str, say: Callable[[str], None]) -> str:
    """Build the server's image unless the engine has it; return its name."""
    wanted = name(server)
    if inspect("image", wanted) is None:
        base = ensure_base(say)
        say(f"Building the image {wanted} ...")
        # The host's network: the engine's default bridge may have been closed by the operator.
        build = ["build", "--quiet", "--force-rm", "--network", "host", "--label", LABEL, "--tag", wanted]
        docker(*build, "--build-arg", f"BASE={base}", DEFINITIONS / server)
    return wanted


def _told(build: Callable[[Callable[[str], None]], str], say: Callable[[str], None]) -> str:
    try:
        return build(say)
    except stacks.CommandFailed as error:
        raise HostError(str(error)) from error
