"""The one table: what every operation of the platform takes, and what its address names."""

from __future__ import annotations

from types import SimpleNamespace as Things

from tests.walk import api, api_apps, attached, catalogue, console, identity, quotas, roles, ways
from tests.walk.doors import PLACEHOLDER, address
from tests.walk.rows import Row

TABLE: tuple[Row, ...] = (
    *api.ROWS,
    *api_apps.ROWS,
    *attached.ROWS,
    *catalogue.ROWS,
    *console.ROWS,
    *identity.ROWS,
    *quotas.ROWS,
    *roles.ROWS,
    *ways.ROWS,
)

# what stands before a guid -> the thing that is asked for
NOUNS = {
    "organizations": "organization", "orgs": "organization", "organization_quotas": "spare", "spaces": "space",
    "space_quotas": "space_quota", "roles": "auditor", "users": "member", "Users": "member", "jobs": "job",
    "audit_events": "space_event", "domains": "domain", "routes": "route", "apps": "app", "processes": "process",
    "sidecars": "sidecar", "revisions": "revision", "deployments": "deployment", "tasks": "task",
    "packages": "package", "builds": "build", "droplets": "droplet", "buildpacks": "buildpack", "stacks": "stack",
    "app_usage_events": "usage", "access_tokens": "access_token", "tokens": "access_token",
    "people": "member", "robots": "org_robot", "keys": "robot_key",
    "custom_roles": "custom_role", "role_grants": "auditor", "grants": "auditor", "role_requests": "role_request",
    "services": "service_instance", "bindings": "service_binding",
    "service_instances": "service_instance", "service_backup_repositories": "service_instance", "service_credential_bindings": "service_key",
    "service_brokers": "service_broker", "brokers": "service_broker", "service_offerings": "service_offering", "service_plans": "service_plan",
    "quota_requests": "quota_request", "quota-requests": "quota_request",
    "requests": "role_request", "mails": "mail", "outbox": "mail", "invitations": "invitation",
}  # fmt: skip
OTHERS = {
    "organization": "organization",
    "destination": "destination", "space": "space", "person": "member", "source": "app", "secret": "link",
    "jti": "jti", "client_id": "robot", "robot": "org_robot", "key": "robot_key", "version": "version", "type": "=web", "process_type": "=web", "index": "=0",
    "offering": "service_offering", "plan": "service_plan",
    "page": "=getting-started", "invitation": "invitation",
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
