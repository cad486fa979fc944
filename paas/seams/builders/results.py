"""Reads the runner's messages into the contract's own shapes; an app can write such messages too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from paas.lib.text import storable
from paas.seams.builders.base import BuildFailed, BuildSidecar, Built, Step, UsedBuildpack

STEPS = ("download", "fetch", "detect", "supply", "finalize", "package")
TYPE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")
MOST_TYPES, LONGEST_NAME, MOST_MEMORY_MB = 100, 255, 2**31 - 1


def step_from(message: dict[str, Any]) -> Step | None:
    """Return the step that the message announces, None where it announces none."""
    step = message.get("step")
    if not isinstance(step, dict) or step.get("name") not in STEPS:
        return None
    return Step(step["name"], storable(str(step.get("title", ""))[:200]))


def built_from(said: dict[str, Any], *, sha256: str, size: int) -> Built:
    """Return the build's result; raise ``BuildFailed`` if it is not in the runner's shape."""
    try:
        return Built(
            sha256=sha256,
            size=size,
            process_types=_types(said["process_types"]),
            buildpacks=tuple(_used(each) for each in said["used"]),
            sidecars=tuple(_sidecar(each) for each in said["sidecars"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BuildFailed(
            "StagingError", f"The build's result cannot be read ({error!r}). A build script may have written over it."
        ) from error


def _types(said: Mapping[str, Any]) -> dict[str, str]:
    if len(said) > MOST_TYPES or not all(TYPE.fullmatch(kind) for kind in said):
        raise BuildFailed(
            "StagingError",
            f"The build names process types that cannot be: at most {MOST_TYPES} of letters, digits, dots, dashes and "
            "underscores. Correct the Procfile, or what the buildpack releases, and push again.",
        )
    return {kind: storable(str(command)) for kind, command in said.items()}


def _used(said: dict[str, Any]) -> UsedBuildpack:
    names = ("name", "detect_output", "version", "buildpack_name")
    return UsedBuildpack(**{name: storable(str(said.get(name, ""))) for name in names})


def _sidecar(said: dict[str, Any]) -> BuildSidecar:
    name, memory_mb = storable(str(said["name"])), int(said["memory_mb"]) if said.get("memory_mb") else None
    if not 0 < len(name) <= LONGEST_NAME or not 0 < (memory_mb or 1) <= MOST_MEMORY_MB:
        raise ValueError(f"the sidecar {name[:LONGEST_NAME]} has no name or no size that can be")
    return BuildSidecar(
        name=name,
        process_types=tuple(storable(str(owner)) for owner in said["process_types"]),
        command=storable(str(said["command"])),
        memory_mb=memory_mb,
    )
