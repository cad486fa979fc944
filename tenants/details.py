"""What an audit event changed, in words, a line for each thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from accounts.audit import HIDDEN

# Fields, or what is in front of the dot of one, in words
LABELS = {
    "annotations": "annotation",
    "app_name": "app",
    "commands": "start command of",
    "credentials": "credential",
    "environment": "variable",
    "environment_variables": "variable",
    "expires_at": "ends",
    "labels": "label",
    "log_rate": "log rate",
    "options": "option",
    "service_instance_name": "service",
    "service_plan_name": "plan",
    "parameters": "parameter",
    "variables": "variable",
    "verbs": "permissions",
}
# What is told elsewhere in the line, or means nothing to a reader
UNTOLD = {
    "cell_id", "changes", "door", "from_space", "instance", "last_lines", "reason", "recursive", "role", "sha256",
    "to_space", "with_organization",
}  # fmt: skip
LONGEST = 500  # characters of one line


def details_of(data: Mapping[str, Any]) -> list[str]:
    """Return what changed, a line each ("memory: 256 MB → 512 MB"), then what else is known; ids are left out."""
    lines = [*dict.fromkeys([*_changes(data.get("changes") or {}), *_facts(data)])]
    if data.get("reason") and data["reason"] != "CRASHED":
        lines.append(str(data["reason"]))
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in lines]


def _changes(changes: Mapping[str, list[Any]]) -> Iterator[str]:
    for name, (old, new) in changes.items():
        if _is_id(name):
            continue
        label = _label(name)
        if HIDDEN in (old, new):
            yield f"{label}: {'set' if old is None else 'removed' if new is None else 'changed'}"
        elif old is None:
            yield f"{label}: {_shown(name, new)}"
        else:
            yield f"{label}: {_shown(name, old)} → {_shown(name, new)}"


def _facts(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        said = not isinstance(value, dict) and value not in (None, "", [], False)
        if said and name not in UNTOLD and not _is_id(name):
            yield f"{_label(name)}: {_shown(name, value)}"


def _is_id(name: str) -> bool:
    """Ids are for programs; a droplet has nothing but its id for a name."""
    return name.endswith(("guid", "guids")) or name in ("droplet", "sha256")


def _label(name: str) -> str:
    first, _, rest = name.partition(".")
    label = LABELS.get(first, first.removesuffix("_mb").replace("_", " "))
    return f"{label} {rest}" if rest else label


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if value in (None, ""):
        return "none"
    return f"{value} MB" if name.endswith("_mb") else str(value)
