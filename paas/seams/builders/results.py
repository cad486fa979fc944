"""Reads the runner's messages into the contract's own shapes; an app can write such messages too."""

from __future__ import annotations

from typing import Any

from paas.seams.builders.base import BuildFailed, BuildSidecar, Built, Step, UsedBuildpack

STEPS = ("download", "fetch", "detect", "supply", "finalize", "package")


def step_from(message: dict[str, Any]) -> Step | None:
    """Return the step that the message announces, None where it announces none."""
    step = message.get("step")
    if not isinstance(step, dict) or step.get("name") not in STEPS:
        return None
    return Step(step["name"], str(step.get("title", ""))[:200])


def built_from(said: dict[str, Any], *, sha256: str, size: int) -> Built:
    """Return the build's result; raise ``BuildFailed`` if it is not in the runner's shape."""
    try:
        return Built(
            sha256=sha256,
            size=size,
            process_types={str(kind): str(command) for kind, command in said["process_types"].items()},
            buildpacks=tuple(_used(each) for each in said["used"]),
            sidecars=tuple(_sidecar(each) for each in said["sidecars"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BuildFailed(
            "StagingError", f"The build's result cannot be read ({error!r}). A build script may have written over it."
        ) from error


def _used(said: dict[str, Any]) -> UsedBuildpack:
    names = ("name", "detect_output", "version", "buildpack_name")
    return UsedBuildpack(**{name: str(said.get(name, "")) for name in names})


def _sidecar(said: dict[str, Any]) -> BuildSidecar:
    return BuildSidecar(
        name=str(said["name"]),
        process_types=tuple(str(owner) for owner in said["process_types"]),
        command=str(said["command"]),
        memory_mb=int(said["memory_mb"]) if said.get("memory_mb") else None,
    )
