"""Audit events in words: what was done to what, and what changed."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEvent
from tenants.models import ORGANIZATION_ROLES, SPACE_ROLES

WORDS = {
    "app.crash": "saw an instance of the app {target} crash",
    "audit.app.build.cancel": "cancelled a build of the app {target}",
    "audit.app.build.create": "started a build of the app {target}",
    "audit.app.build.failed": "could not build the app {target}",
    "audit.app.build.staged": "built the app {target}",
    "audit.app.delete-request": "deleted the app {target}",
    "audit.app.deployment.cancel": "cancelled a deployment of the app {target}",
    "audit.app.deployment.create": "deployed the app {target}",
    "audit.app.droplet.delete": "deleted a droplet of the app {target}",
    "audit.app.droplet.download": "downloaded a droplet of the app {target}",
    "audit.app.droplet.mapped": "chose the droplet that the app {target} runs",
    "audit.app.map-route": "mapped a route to the app {target}",
    "audit.app.package.create": "began a push of the app {target}",
    "audit.app.package.download": "downloaded the source of the app {target}",
    "audit.app.package.upload": "uploaded source for the app {target}",
    "audit.app.package.upload-refused": "uploaded source for the app {target} that was refused",
    "audit.app.process.scale": "scaled the app {target}",
    "audit.app.process.terminate_instance": "restarted an instance of the app {target}",
    "audit.app.process.update": "changed how a process of the app {target} runs",
    "audit.app.restage": "built the app {target} again",
    "audit.app.restart": "restarted the app {target}",
    "audit.app.revert": "went back to the version of the app {target} before",
    "audit.app.start": "started the app {target}",
    "audit.app.stop": "stopped the app {target}",
    "audit.app.task.cancel": "cancelled a task of the app {target}",
    "audit.app.task.create": "started a task of the app {target}",
    "audit.app.unmap-route": "took a route from the app {target}",
    "audit.organization_quota.apply": "gave the organization the quota {target}",
    "audit.space_quota.apply": "gave the space the quota {target}",
    "audit.space_quota.remove": "took the quota {target} from the space",
}
# The last part of a type that has no words of its own
PAST = {
    "add": "added",
    "apply": "applied",
    "cancel": "cancelled",
    "create": "created",
    "delete": "deleted",
    "delete-request": "deleted",
    "download": "downloaded",
    "remove": "removed",
    "share": "shared",
    "start": "started",
    "stop": "stopped",
    "unshare": "stopped sharing",
    "upload": "uploaded",
}
# What is told elsewhere in the line, or means nothing to a reader
UNTOLD = {
    "after", "before", "cell_id", "environment_json", "instance", "last_lines", "metadata", "reason", "recursive",
    "role", "expires_at",
}  # fmt: skip


def words_for(event: AuditEvent) -> str:
    """Return what was done, without who did it: "created the app web"."""
    parts = event.type.split(".")
    if event.type in WORDS:
        return WORDS[event.type].format(target=event.target_name)
    if parts[:2] == ["audit", "user"] and "role" in event.data:
        label = (ORGANIZATION_ROLES | SPACE_ROLES).get(event.data["role"], event.data["role"]).lower()
        where = f"in the space {event.space_name}" if event.space_name else f"in {event.organization_name}"
        gave = f"gave {event.target_name} the role {label}"
        return (
            f"{gave} {where}"
            if parts[-1].endswith("_add")
            else f"took the role {label} {where} from {event.target_name}"
        )
    did = PAST.get(parts[-1], "changed")
    noun = parts[1].replace("_", " ") if len(parts) > 1 else event.target_type
    part = f"a {parts[2].replace('_', ' ')} of " if len(parts) > 3 else ""
    return f"{did} {part}the {noun} {event.target_name}"


def details_of(data: dict[str, Any]) -> list[str]:
    """Return what changed, a line each ("memory: 256 MB → 512 MB"); ids and nested settings are left out."""
    before, after = (value if isinstance(value := data.get(name), dict) else {} for name in ("before", "after"))
    plain = {name: value for name, value in data.items() if name not in UNTOLD and not name.endswith(("guid", "guids"))}
    told = [_detail(name, value, before.get(name)) for name, value in {**plain, **after}.items()]
    if isinstance(data.get("before"), str) and isinstance(data.get("after"), str):
        told.append(f"{data['before']} → {data['after']}")
    if data.get("reason") and data["reason"] != "CRASHED":
        told.append(str(data["reason"]))
    return [line for line in told if line]


def _detail(name: str, value: Any, before: Any) -> str:
    if value == before or isinstance(value, dict) or (before is None and value in (None, "", [], False)):
        return ""
    unit = " MB" if name.endswith("_mb") else ""
    label, shown = name.removesuffix("_mb").replace("_", " "), _shown(value, unit)
    return f"{label}: {shown}" if before is None else f"{label}: {_shown(before, unit)} → {shown}"


def _shown(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return "none" if value in (None, "") else f"{value}{unit}"
