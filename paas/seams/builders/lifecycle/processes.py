"""Works out a droplet's process types from bin/release, launch.yml and Procfile, in Cloud Foundry's order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from .voice import OTHER, RELEASE, Refused

TYPE = re.compile(r"[A-Za-z0-9_-]+")
LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(\S.*)")


def words(text: str) -> Any:
    """Read YAML as mappings, lists and words, so that `on:` or `1.10` stay what was written."""
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506  this loader makes nothing else


def procfile(folder: Path) -> dict[str, str]:
    """Return the process types of the app's Procfile, {} where it has none; raise ``Refused`` if it is not one."""
    path = folder / "Procfile"
    if not path.is_file():
        return {}
    text = path.read_bytes().decode("utf-8-sig", "replace")
    found = _as_yaml(text) or _as_lines(text)
    if found:
        return found
    bad = next((line.strip() for line in text.splitlines() if line.strip() and not _is_line(line)), "")
    what = f"the line `{bad[:200]}` is not `type: command`" if bad else "it is empty"
    raise Refused(
        OTHER,
        "StagingError",
        f"The Procfile is not one: {what}. Write one process on each line, for example `web: python app.py`.",
    )


def released(output: str, name: str) -> dict[str, str]:
    """Return ``default_process_types`` of what bin/release printed."""
    try:
        release = words(output) or {}
        types = release.get("default_process_types") or {}
        return {str(kind): str(command) for kind, command in types.items()}
    except (yaml.YAMLError, AttributeError) as error:
        raise Refused(
            RELEASE,
            "BuildpackReleaseFailed",
            f"The buildpack {name} printed no YAML with default_process_types ({_brief(error)}). "
            "That is a fault of the buildpack: use another version of it, or tell its authors.",
        ) from error


def launched(deps: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the process types and the sidecars of every launch.yml under ``deps``, in the buildpacks' order."""
    types: dict[str, str] = {}
    sidecars: list[dict[str, Any]] = []
    for path in sorted(deps.glob("*/launch.yml"), key=lambda path: int(path.parent.name)):
        try:
            for process in (yaml.safe_load(path.read_text()) or {}).get("processes") or []:
                owners = ((process.get("platforms") or {}).get("cloudfoundry") or {}).get("sidecar_for") or []
                if owners:
                    sidecars.append(_sidecar(process, owners))
                else:
                    types[str(process["type"])] = str(process["command"])
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refused(
                RELEASE,
                "BuildpackReleaseFailed",
                f"deps/{path.parent.name}/launch.yml is not what it should be ({_brief(error)}). "
                "That is a fault of the buildpack: use another version of it, or tell its authors.",
            ) from error
    return types, sidecars


def _sidecar(process: dict[str, Any], owners: list[Any]) -> dict[str, Any]:
    memory = (process.get("limits") or {}).get("memory")
    return {
        "name": str(process["type"]),
        "command": str(process["command"]),
        "process_types": [str(owner) for owner in owners],
        "memory_mb": int(memory) if memory else None,
    }


def _as_yaml(text: str) -> dict[str, str]:
    """Read it as Cloud Foundry does; {} where it is no mapping of words to words."""
    try:
        found = words(text)
    except yaml.YAMLError:
        return {}
    fits = isinstance(found, dict) and all(isinstance(value, str) and value.strip() for value in found.values())
    return {kind: value.strip() for kind, value in found.items()} if fits and all(map(TYPE.fullmatch, found)) else {}


def _as_lines(text: str) -> dict[str, str]:
    """Read it as other platforms do: a command may hold ``: `` or a quote that YAML would trip over."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = [LINE.fullmatch(line) for line in lines]
    return {match[1]: match[2] for match in found if match} if found and all(found) else {}


def _is_line(line: str) -> bool:
    return line.lstrip().startswith("#") or LINE.fullmatch(line.strip()) is not None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
