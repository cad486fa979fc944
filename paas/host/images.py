"""Builds the images of the platform's own servers (PostgreSQL, Redis), and of the services that teams get, on the base image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apps import stacks

from . import stamps
from .engine import docker, inspect
from .settings import CHECKOUT
from .shell import HostError

DEFINITIONS = Path(__file__).parent / "images"
SERVICES = CHECKOUT / "services" / "images"
LABEL = "paas.host"


def ensure_base(say: Callable[[str], None]) -> str:
    """Build the base image unless the engine has it; return its name."""
    return _told(stacks.ensure_base, say)


def ensure_stack(say: Callable[[str], None]) -> str:
    """Build the default stack's image unless the engine has it; return its name."""
    return _told(stacks.ensure, say)


def ensure(server: str, say: Callable[[str], None]) -> str:
    """Build the server's image unless the engine has it; return its name."""
    return _ensure(f"paas/{server}", DEFINITIONS / server, say)


def service_names() -> dict[str, str]:
    """Return the image of each service; the name changes with its definition."""
    return {path.name: _name(f"paas/service-{path.name}", path) for path in sorted(SERVICES.iterdir())}


def ensure_services(say: Callable[[str], None]) -> None:
    """Build the images of the services that teams get, unless the engine has them."""
    for service in service_names():
        _ensure(f"paas/service-{service}", SERVICES / service, say)


def _ensure(repository: str, definition: Path, say: Callable[[str], None]) -> str:
    wanted = _name(repository, definition)
    if inspect("image", wanted) is None:
        base = ensure_base(say)
        say(f"Building the image {wanted} ...")
        # The host's network: the engine's default bridge may have been closed by the operator.
        build = ["build", "--quiet", "--force-rm", "--network", "host", "--label", LABEL, "--tag", wanted]
        docker(*build, "--build-arg", f"BASE={base}", definition)
    return wanted


def _name(repository: str, definition: Path) -> str:
    """Return for instance ``paas/redis:0a1b2c3d4e5f``."""
    return f"{repository}:{stamps.digest(definition, stacks.base_image_name())[:12]}"


def _told(build: Callable[[Callable[[str], None]], str], say: Callable[[str], None]) -> str:
    try:
        return build(say)
    except stacks.CommandFailed as error:
        raise HostError(str(error)) from error
