"""Says what a manifest would change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.models import User
from apps.actions import feature
from apps.actions.environment import show_commands
from apps.actions.manifest import check, units
from apps.actions.manifest.show import entry
from apps.models import App
from tenants.access import authorize, may
from tenants.models import Space

HIDDEN = "[PRIVATE DATA HIDDEN]"
NAMED_BY = {"processes": "type", "sidecars": "name", "routes": "route"}  # what tells the entries of a list apart
COMPARED = ("name", "lifecycle", "stack", "buildpack", "buildpacks", "env", "metadata", "features", *NAMED_BY)
SPELLINGS = {"disk-quota": "disk_quota", "log_rate_limit_per_second": "log-rate-limit-per-second"}
UNITS: dict[str, Callable[[Any], Any]] = {
    "memory": lambda value: f"{units.megabytes(value)}M",
    "disk_quota": lambda value: f"{units.megabytes(value)}M",
    "log-rate-limit-per-second": lambda value: units.written(units.rate(value)),
}
OF_PROCESS = (
    "type", "instances", *UNITS, "command", "timeout", "health-check-type", "health-check-http-endpoint",
    "health-check-invocation-timeout", "health-check-interval", "readiness-health-check-type",
    "readiness-health-check-http-endpoint", "readiness-health-check-invocation-timeout",
    "readiness-health-check-interval",
)  # fmt: skip
Change = dict[str, Any]


def diff(actor: User, space: Space, *, applications: list[Any]) -> list[Change]:
    """Return the changes that applying the manifest would make, as JSON patches have them, with what ``was``.

    What the manifest does not name stays as it is, and so is no change. Of variables that are there the values are
    not told; whoever may read them has another way to. Nor are commands to who may not see secrets.
    """
    authorize(actor, "app.push", space)
    sees = may(actor, "app.see_secrets", space)
    check.every(applications, by=actor)
    found: list[Change] = []
    for index, sent in enumerate(applications):
        app = App.objects.filter(space=space, name__iexact=sent["name"]).first()
        there = _there(app) if app else {}
        changes: list[Change] = []
        for key, value in sent.items():
            spelled = SPELLINGS.get(key, key)
            if spelled in (*COMPARED, *OF_PROCESS):
                changes += _changes(f"/applications/{index}/{key}", there.get(spelled), _plain(spelled, value), spelled)
        masked = [_masked(change) for change in changes]
        if app and sees and masked != changes:
            show_commands(actor, app, of="manifest")
        found += changes if sees else masked
    return found


def _masked(change: Change) -> Change:
    """The change without the commands that were."""
    if "was" not in change:
        return change
    return change | {"was": _without_commands(change["was"], change["path"].rpartition("/")[2])}


def _without_commands(was: Any, key: str) -> Any:
    if isinstance(was, dict):
        return {name: _without_commands(value, name) for name, value in was.items()}
    if isinstance(was, list):
        return [_without_commands(value, "") for value in was]
    return HIDDEN if key == "command" else was


def _there(app: App) -> dict[str, Any]:
    """The app as a manifest, with what it says of web repeated at the top."""
    found = entry(app, environment=app.environment)
    web = next((process for process in found["processes"] if process["type"] == "web"), {})
    features = dict.fromkeys(feature.NAMES, False) | found["features"]
    buildpack = {"buildpack": app.buildpacks[0]} if len(app.buildpacks) == 1 else {}
    return web | buildpack | found | {"features": features}


def _plain(key: str, value: Any) -> Any:
    """What was sent, spelled and counted as we do."""
    if value is None:
        return None
    if key in UNITS:
        return UNITS[key](value)
    if key == "env":
        return {check.text(name): check.text(each) for name, each in value.items()}
    if key in NAMED_BY:
        return [_plain_entry(key, each) for each in value]
    return value


def _plain_entry(kind: str, sent: dict[str, Any]) -> dict[str, Any]:
    spelled = {SPELLINGS.get(key, key): value for key, value in sent.items()}
    if kind == "sidecars" and isinstance(spelled.get("memory"), int):
        spelled["memory"] = f"{spelled['memory']}M"  # of a sidecar, a number without a unit is megabytes
    return {key: _plain(key, value) for key, value in spelled.items()}


def _changes(path: str, was: Any, value: Any, key: str) -> list[Change]:
    if value is None or was is None:
        return _came_or_went(path, was, value, key)
    if isinstance(value, dict) and isinstance(was, dict):
        steps = ((f"{path}/{_escaped(name)}", was.get(name), each) for name, each in value.items())
        return [change for step in steps for change in _changes(*step, key)]
    if isinstance(value, list) and isinstance(was, list):
        return _in_list(path, was, value, key)
    if str(was) == str(value):
        return []
    return [{"op": "replace", "path": path, "was": _told(was, key), "value": value}]


def _came_or_went(path: str, was: Any, value: Any, key: str) -> list[Change]:
    if value is not None:
        return [{"op": "add", "path": path, "value": value}]
    return [] if was is None else [{"op": "remove", "path": path, "was": _told(was, key)}]


def _in_list(path: str, was: list[Any], value: list[Any], key: str) -> list[Change]:
    """Entries that have a name are compared with their namesakes, and stay if they are not named; others by place."""
    name = NAMED_BY.get(key)
    if name:
        there = {each[name]: each for each in was}
        pairs = [(there.get(each[name]), each) for each in value]
    else:
        longest = range(max(len(was), len(value)))
        pairs = [(_at(was, index), _at(value, index)) for index in longest]
    return [change for index, pair in enumerate(pairs) for change in _changes(f"{path}/{index}", *pair, "")]


def _at(entries: list[Any], index: int) -> Any:
    return entries[index] if index < len(entries) else None


def _told(was: Any, key: str) -> Any:
    return HIDDEN if key == "env" else was


def _escaped(name: Any) -> str:
    """A key as a JSON pointer writes it."""
    return str(name).replace("~", "~0").replace("/", "~1")
