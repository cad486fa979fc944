"""The one table: what every operation of the platform takes, and what its address names."""

from __future__ import annotations

from types import SimpleNamespace as Things

from tests.walk import api, api_apps, console
from tests.walk.doors import PLACEHOLDER, address
from tests.walk.rows import Row

TABLE: tuple[Row, ...] = (*api.ROWS, *api_apps.ROWS, *console.ROWS)

# what stands before a guid -> the thing that is asked for
NOUNS = {
    "organizations": "organization", "orgs": "organization", "organization_quotas": "spare", "spaces": "space",
    "space_quotas": "space_quota", "roles": "auditor", "users": "member", "Users": "member", "jobs": "job",
    "audit_events": "space_event", "domains": "domain", "routes": "route", "apps": "app", "processes": "process",
    "sidecars": "sidecar", "revisions": "revision", "deployments": "deployment", "tasks": "task",
    "packages": "package", "builds": "build", "droplets": "droplet", "buildpacks": "buildpack", "stacks": "stack",
    "app_usage_events": "usage", "access_tokens": "access_token", "tokens": "access_token",
}  # fmt: skip
OTHERS = {
    "destination": "destination", "space": "space", "person": "member", "source": "app", "secret": "link",
    "jti": "jti", "client_id": "robot", "version": "version", "type": "=web", "process_type": "=web", "index": "=0",
    "page": "=getting-started",
}  # fmt: skip


def asked_for(row: Row, things: Things) -> str:
    """Return the address of the row's request about these things."""
    filled = {}
    for match in PLACEHOLDER.finditer(row.pattern):
        noun = row.pattern[: match.start()].rstrip("/").rpartition("/")[2]
        usual = NOUNS.get(noun, "nothing") if match[2] == "guid" else OTHERS.get(match[2], "nothing")
        thing = row.ids.get(match[2], usual)
        filled[match[2]] = thing[1:] if thing.startswith("=") else getattr(things, thing)
    return address(row.pattern, filled) + row.query
