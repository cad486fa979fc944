"""Checks what a manifest says of processes: their size, their command, their health."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from apps.actions.capacity import MOST_INSTANCES
from apps.actions.manifest import units
from apps.actions.manifest.wanted import WantedProcess
from apps.models.app import HEALTH_TYPES, PROCESS_TYPE

LONGEST_COMMAND, LONGEST_TYPE = 4096, 255
MOST = 2**31 - 1
CHECKS = [name for name, _ in HEALTH_TYPES]
ENDPOINT = re.compile(r"/[^\s#]{0,254}")
DROPLETS_OWN = (None, "null", "default")
# key of the manifest -> column
SECONDS = {
    "timeout": "health_timeout",
    "health_check_invocation_timeout": "health_invocation_timeout",
    "health_check_interval": "health_interval",
    "readiness_health_check_invocation_timeout": "readiness_invocation_timeout",
    "readiness_health_check_interval": "readiness_interval",
}
Sent = Mapping[str, Any]


def processes(sent: Sent, problems: list[str]) -> tuple[WantedProcess, ...]:
    """What is wanted of each process; what an app says at its top is about web, and what web's own entry says wins."""
    top = _process("web", sent, problems)
    listed = {one.type: one for one in _listed(sent, problems)}
    if own := listed.get("web"):
        listed["web"] = WantedProcess("web", {**top.size, **own.size}, {**top.run, **own.run})
    elif top.size or top.run:
        return (top, *listed.values())
    return tuple(listed.values())


def _listed(sent: Sent, problems: list[str]) -> tuple[WantedProcess, ...]:
    asked = sent.get("processes")
    if asked is None:
        return ()
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        problems.append("Processes must be an array of process configurations")
        return ()
    found: dict[str, WantedProcess] = {}
    for one in asked:
        keys = {key.replace("-", "_"): value for key, value in one.items() if isinstance(key, str)}
        type = keys.get("type")
        if not isinstance(type, str) or not type or len(type) > LONGEST_TYPE:
            problems.append("All Processes must specify a type")
            return ()
        if not PROCESS_TYPE.fullmatch(type):
            problems.append(f'Process "{type}": Type can only contain letters, digits, dots, dashes and underscores')
        if type in found:
            problems.append(f'Process "{type}" may only be present once')
        found[type] = _process(type, keys, problems)
    return tuple(found.values())


def _process(type: str, sent: Sent, problems: list[str]) -> WantedProcess:
    said: list[str] = []
    found = WantedProcess(type, _size(sent, said), _run(sent, said))
    problems += [f'Process "{type}": {problem}' for problem in said]
    return found


def _size(sent: Sent, problems: list[str]) -> dict[str, int]:
    asked = {
        "instances": whole(sent, "instances", least=0, most=MOST_INSTANCES, problems=problems),
        "memory_mb": memory(sent.get("memory"), "Memory", problems),
        "disk_mb": memory(sent.get("disk_quota"), "Disk quota", problems),
        "log_rate": _log_rate(sent.get("log_rate_limit_per_second"), problems),
    }
    return {column: value for column, value in asked.items() if value is not None}


def _run(sent: Sent, problems: list[str]) -> dict[str, Any]:
    found = _command(sent, problems)
    for key, column in SECONDS.items():
        if key in sent:
            found[column] = whole(sent, key, least=1, most=MOST, problems=problems)
    for prefix, columns in (("health_check", "health"), ("readiness_health_check", "readiness")):
        found |= _check(sent, prefix, columns, problems)
    return found


def _command(sent: Sent, problems: list[str]) -> dict[str, Any]:
    if "command" not in sent:
        return {}
    command = sent["command"]
    if command in DROPLETS_OWN:
        return {"command": None}
    if not isinstance(command, str):
        problems.append("Command must be a string")
    elif not 0 < len(command) <= LONGEST_COMMAND:
        problems.append(f"Command must be between 1 and {LONGEST_COMMAND} characters")
    return {"command": command}


def _check(sent: Sent, prefix: str, columns: str, problems: list[str]) -> dict[str, Any]:
    """A health check: its type, and the endpoint that only an HTTP one has."""
    found: dict[str, Any] = {}
    words = prefix.replace("_", " ").capitalize()
    if f"{prefix}_type" in sent:
        type = sent[f"{prefix}_type"]
        found[f"{columns}_type"] = "process" if type == "none" else type
        if found[f"{columns}_type"] not in CHECKS:
            problems.append(f'{words} type must be "port", "process", or "http"')
    endpoint = sent.get(f"{prefix}_http_endpoint")
    if endpoint is not None:
        found[f"{columns}_endpoint"] = endpoint
        if not isinstance(endpoint, str) or not ENDPOINT.fullmatch(endpoint):
            problems.append(f"{words} http endpoint must be a valid URI path")
        if found.get(f"{columns}_type", "http") != "http":
            problems.append(f'{words} type must be "http" to set a health check HTTP endpoint.')
    return found


def whole(sent: Sent, key: str, *, least: int, most: int, problems: list[str]) -> int | None:
    value, words = sent.get(key), key.replace("_", " ").capitalize()
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(f"{words} is not a number")
    elif not isinstance(value, int):
        problems.append(f"{words} must be an integer")
    elif value < least:
        problems.append(f"{words} must be greater than or equal to {least}")
    elif value > most:
        problems.append(f"{words} must be less than or equal to {most}")
    else:
        return value
    return None


def memory(value: Any, words: str, problems: list[str]) -> int | None:
    size = _measured(units.megabytes, value, words, problems)
    if size is not None and not 0 < size <= MOST:
        problems.append(f"{words} must be greater than 0MB" if size <= 0 else f"{words} must be at most {MOST}MB")
    return size


def _log_rate(value: Any, problems: list[str]) -> int | None:
    size = _measured(units.rate, value, "Log rate limit per second", problems)
    if size is not None and not -1 <= size < 2**63:
        problems.append("Log rate limit must be an integer greater than or equal to -1")
    return size


def _measured(read: Callable[[Any], int], value: Any, words: str, problems: list[str]) -> int | None:
    if value is None:
        return None
    try:
        return read(value)
    except units.NoSize as error:
        problems.append(f"{words} {error}")
        return None
