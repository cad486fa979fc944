"""The table of the API, but for apps: Cloud Foundry's v3 about the platform, organizations and spaces; the OAuth server."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace as Things
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.apps.archives import zipped
from tests.walk.people import ACCOUNTS, FIRST_PASSWORD, THERE
from tests.walk.rows import Row, Send
from tests.walk.world import PASSWORD

ORG, SPACE = "organization.view", "space.view"  # what shows an organization and what is in it, a space likewise
APPS = "app.view"  # what shows an app and what is in it
PLATFORM, MEMBERS, SPACE_MEMBERS = "platform.manage", f"{THERE}member.manage", "member.manage"
ROBOTS = "robot.manage"
ACCOUNT, VIEW_ACCOUNT, USAGE = f"{ACCOUNTS}account.manage", f"{ACCOUNTS}account.view", f"{ACCOUNTS}usage.view"
GET, POST, PATCH, DELETE, PUT = (partial(Row, method) for method in ("GET", "POST", "PATCH", "DELETE", "PUT"))
LABELS: dict[str, Any] = {"metadata": {"labels": {"walked": "yes"}}}


def to(guid: str) -> dict[str, Any]:
    return {"data": {"guid": guid}}


def labels(t: Things) -> dict[str, Any]:
    return LABELS


def many(thing: str) -> Send:
    """A body that names one thing in a list."""
    return lambda t: {"data": [{"guid": getattr(t, thing)}]}


def upload(name: str, data: bytes) -> Send:
    return lambda t: {"bits": SimpleUploadedFile(name, data)}


def role(kind: str, place: str) -> Send:
    """Somebody gets a role in a place: the member, who is there already."""
    return lambda t: {"type": kind, "relationships": {"user": to(t.member), place: to(getattr(t, place))}}


def destinations(thing: str) -> Send:
    return lambda t: {"destinations": [{"app": {"guid": getattr(t, thing)}}]}


def grant(t: Things) -> str:
    """The form by which ``cf login`` gets its tokens."""
    return urlencode(
        {"grant_type": "password", "client_id": "cf", "username": t.newcomer_name, "password": FIRST_PASSWORD}
    )


def listed(path: str, thing: str, see: str, **more: Any) -> Row:
    """A list that everybody may ask for, and that holds what they see."""
    return GET(path, see, shows=thing, query="?per_page=5000", **more)


def described(path: str, see: str, do: str) -> tuple[Row, Row]:
    """One thing: shown to who sees it, and labelled."""
    return GET(path, see), PATCH(path, see, do, labels)


PLATFORM_ROWS = (
    GET("", public=True),
    GET("v3", public=True),
    GET("v3/info", public=True),
    GET("v2/info", public=True),
    GET("v3/openapi.json", public=True),
    Row("ANY", "^v3(?:/.*)?$", public=True, never=True),
    GET("v3/jobs/<str:guid>", own=True),
    GET("v3/jobs/<str:guid>", f"{ACCOUNTS}job.view", ids={"guid": "root_job"}),
    listed("v3/app_usage_events", "usage", USAGE),
    GET("v3/app_usage_events/<str:guid>", USAGE),
    GET("v3/service_usage_events"),
    GET("v3/service_usage_events/<str:guid>", never=True),
    GET("v3/access_tokens"),
    POST("v3/access_tokens", do=f"{ACCOUNTS}account.token.create", own=True, send=lambda t: {"name": "walked"}),
    GET("v3/access_tokens/<str:guid>", own=True),
    GET("v3/access_tokens/<str:guid>", ids={"guid": "root_token"}, never=True),
    DELETE("v3/access_tokens/<str:guid>", do=f"{ACCOUNTS}account.token.revoke", own=True),
    DELETE("v3/access_tokens/<str:guid>", ids={"guid": "root_token"}, never=True),
    listed("v3/users", "member", ORG),
    POST("v3/users", do=ACCOUNT, send=lambda t: {"username": "walked", "origin": "elsewhere"}),
    *described("v3/users/<str:guid>", ORG, ACCOUNT),
    DELETE("v3/users/<str:guid>", ORG, ACCOUNT),
    GET("v3/feature_flags"),
    GET("v3/feature_flags/<str:guid>", ids={"guid": "=app_scaling"}),
    PATCH("v3/feature_flags/<str:guid>", "", PLATFORM, lambda t: {"enabled": True}, {"guid": "=app_scaling"}),
    GET("v3/environment_variable_groups/<str:guid>", ids={"guid": "=running"}),
    PATCH(
        "v3/environment_variable_groups/<str:guid>", "", PLATFORM, lambda t: {"var": {"A": "b"}}, {"guid": "=running"}
    ),
    GET("v3/buildpacks"),
    POST("v3/buildpacks", "", PLATFORM, lambda t: {"name": "another_buildpack"}),
    *described("v3/buildpacks/<str:guid>", "", PLATFORM),
    DELETE("v3/buildpacks/<str:guid>", "", PLATFORM),
    POST(
        "v3/buildpacks/<str:guid>/upload", "", PLATFORM, upload("pack.zip", zipped({"bin/detect": "#!/bin/sh\n"}).read())
    ),
    GET("v3/stacks"),
    POST("v3/stacks", "", PLATFORM, lambda t: {"name": "another"}, cannot=True),
    *described("v3/stacks/<str:guid>", "", PLATFORM),
    DELETE("v3/stacks/<str:guid>", "", PLATFORM, cannot=True),
    listed("v3/stacks/<str:guid>/apps", "app", APPS),
    *(
        row
        for name in (
            "isolation_segments", "security_groups", "service_route_bindings",
        )
        for row in (GET(f"v3/{name}"), GET(f"v3/{name}/<str:guid>", never=True))
    ),
)  # fmt: skip

ORGANIZATION_ROWS = (
    listed("v3/organizations", "organization", ORG),
    POST("v3/organizations", "", "organization.create", lambda t: {"name": "walked"}),
    POST("v3/organizations", "", "organization.suspend", lambda t: {"name": "walked", "suspended": True}),
    *described("v3/organizations/<str:guid>", ORG, "organization.update"),
    PATCH("v3/organizations/<str:guid>", ORG, "organization.suspend", lambda t: {"suspended": True}),
    DELETE("v3/organizations/<str:guid>", ORG, "organization.delete"),
    GET("v3/organizations/<str:guid>/users", ORG),
    GET("v3/organizations/<str:guid>/usage_summary", ORG),
    GET("v3/organizations/<str:guid>/domains", ORG),
    GET("v3/organizations/<str:guid>/domains/default", ORG),
    GET("v3/organizations/<str:guid>/relationships/default_isolation_segment", ORG),
    PATCH(
        "v3/organizations/<str:guid>/relationships/default_isolation_segment",
        ORG,
        "organization.update",
        lambda t: {"data": None},
    ),
    listed("v3/organization_quotas", "organization", ORG),
    POST("v3/organization_quotas", "", PLATFORM, lambda t: {"name": "walked"}),
    GET("v3/organization_quotas/<str:guid>"),
    PATCH("v3/organization_quotas/<str:guid>", "", PLATFORM, lambda t: {"apps": {"total_instances": 5}}),
    DELETE("v3/organization_quotas/<str:guid>", "", PLATFORM),
    POST("v3/organization_quotas/<str:guid>/relationships/organizations", "", PLATFORM, many("organization")),
    listed("v3/space_quotas", "space_quota", SPACE),
    POST(
        "v3/space_quotas",
        ORG,
        "quota.manage",
        lambda t: {"name": "walked", "relationships": {"organization": to(t.organization)}},
        named=True,
    ),
    GET("v3/space_quotas/<str:guid>", SPACE),
    PATCH("v3/space_quotas/<str:guid>", SPACE, "quota.manage", lambda t: {"name": "walked"}),
    DELETE("v3/space_quotas/<str:guid>", SPACE, "quota.manage"),
    POST("v3/space_quotas/<str:guid>/relationships/spaces", SPACE, "quota.manage", many("annex")),
    DELETE("v3/space_quotas/<str:guid>/relationships/spaces/<str:space>", SPACE, "quota.manage"),
    listed("v3/roles", "auditor", ORG),
    listed("v3/roles", "in_space", SPACE),
    POST("v3/roles", ORG, MEMBERS, role("organization_manager", "organization"), named=True),
    POST("v3/roles", SPACE, SPACE_MEMBERS, role("space_developer", "space"), named=True),
    GET("v3/roles/<str:guid>", ORG),
    GET("v3/roles/<str:guid>", SPACE, ids={"guid": "in_space"}),
    DELETE("v3/roles/<str:guid>", ORG, MEMBERS),
    GET("v3/organizations/<str:guid>/permissions", ORG, cannot=True),  # nothing is asked
    POST(
        "v3/organizations/<str:guid>/actions/change_roles",
        ORG,
        MEMBERS,
        lambda t: {"give": [{"user": t.member, "role": "organization_manager"}]},
    ),
    GET("v3/users/<str:guid>/platform_role", "", VIEW_ACCOUNT),
    PATCH("v3/users/<str:guid>/platform_role", "", ACCOUNT, lambda t: {"role": "admin_read_only"}),
    listed("v3/departures", "departure", MEMBERS),
    POST(
        "v3/departures",
        ORG,
        MEMBERS,
        lambda t: {"relationships": {"user": to(t.member), "organization": to(t.organization)}},
        named=True,
    ),
    GET("v3/departures/<str:guid>", MEMBERS, ids={"guid": "departure"}),
    POST("v3/departures/<str:guid>/actions/undo", MEMBERS, MEMBERS, ids={"guid": "departure"}),
    DELETE("v3/roles/<str:guid>", SPACE, SPACE_MEMBERS, ids={"guid": "in_space"}),
    listed("v3/robots", "org_robot", ORG),
    POST(
        "v3/robots",
        ORG,
        ROBOTS,
        lambda t: {"name": "walked", "relationships": {"organization": to(t.organization)}},
        named=True,
    ),
    *described("v3/robots/<str:guid>", ORG, ROBOTS),
    DELETE("v3/robots/<str:guid>", ORG, ROBOTS),
    GET("v3/robots/<str:robot>/keys", ORG, ROBOTS),
    POST("v3/robots/<str:robot>/keys", ORG, ROBOTS, lambda t: {"name": "walked"}),
    GET("v3/robots/<str:robot>/keys/<str:guid>", ORG, ROBOTS),
    DELETE("v3/robots/<str:robot>/keys/<str:guid>", ORG, ROBOTS),
    POST("v3/robots/<str:robot>/keys/<str:guid>/actions/rotate", ORG, ROBOTS, lambda t: {"days": 7}),
    listed("v3/audit_events", "organization_event", f"{THERE}audit.read"),
    listed("v3/audit_events", "space_event", "audit.read"),
    GET("v3/audit_events/<str:guid>", f"{THERE}audit.read", ids={"guid": "organization_event"}),
    GET("v3/audit_events/<str:guid>", "audit.read"),
    listed("v3/domains", "domain", ORG),
    listed("v3/domains", "shared_domain", ""),
    POST(
        "v3/domains",
        ORG,
        "domain.manage",
        lambda t: {"name": "roamed.example", "relationships": {"organization": to(t.organization)}},
        named=True,
    ),
    POST("v3/domains", "", PLATFORM, lambda t: {"name": "roamed.example"}),
    *described("v3/domains/<str:guid>", ORG, "domain.manage"),
    PATCH("v3/domains/<str:guid>", "", PLATFORM, labels, {"guid": "shared_domain"}),
    DELETE("v3/domains/<str:guid>", ORG, "domain.manage"),
    GET("v3/domains/<str:guid>/route_reservations", ORG),
    GET("v3/domains/<str:guid>/relationships/shared_organizations", ORG),
    POST("v3/domains/<str:guid>/relationships/shared_organizations", ORG, "domain.manage", many("partner")),
    DELETE(
        "v3/domains/<str:guid>/relationships/shared_organizations/<str:organization>",
        ORG,
        "domain.manage",
        ids={"guid": "leased", "organization": "partner"},
    ),
)

SPACE_ROWS = (
    listed("v3/spaces", "space", SPACE),
    POST(
        "v3/spaces",
        ORG,
        "space.create",
        lambda t: {"name": "walked", "relationships": {"organization": to(t.organization)}},
        named=True,
    ),
    *described("v3/spaces/<str:guid>", SPACE, "space.update"),
    DELETE("v3/spaces/<str:guid>", SPACE, "space.delete"),
    GET("v3/spaces/<str:guid>/users", SPACE),
    GET("v3/spaces/<str:guid>/usage_summary", SPACE),
    GET("v3/spaces/<str:guid>/features", SPACE),
    GET("v3/spaces/<str:guid>/features/<str:name>", SPACE, ids={"name": "=ssh"}),
    PATCH(
        "v3/spaces/<str:guid>/features/<str:name>", SPACE, "space.update", lambda t: {"enabled": True}, {"name": "=ssh"}
    ),
    GET("v3/spaces/<str:guid>/running_security_groups", SPACE),
    GET("v3/spaces/<str:guid>/staging_security_groups", SPACE),
    GET("v3/spaces/<str:guid>/relationships/isolation_segment", SPACE),
    PATCH("v3/spaces/<str:guid>/relationships/isolation_segment", SPACE, "space.delete", lambda t: {"data": None}),
    POST("v3/spaces/<str:guid>/actions/apply_manifest", SPACE, "app.push", lambda t: "applications:\n- name: walked\n"),
    POST("v3/spaces/<str:guid>/manifest_diff", SPACE, "app.push", lambda t: "applications:\n- name: walked\n"),
    DELETE("v3/spaces/<str:guid>/routes", SPACE, "route.manage", query="?unmapped=true"),
    listed("v3/routes", "route", SPACE),
    POST(
        "v3/routes",
        SPACE,
        "route.manage",
        lambda t: {"host": "walked", "relationships": {"space": to(t.space), "domain": to(t.shared_domain)}},
        named=True,
    ),
    *described("v3/routes/<str:guid>", SPACE, "route.manage"),
    DELETE("v3/routes/<str:guid>", SPACE, "route.manage"),
    PATCH("v3/routes/<str:guid>/relationships/space", SPACE, "route.move", lambda t: to(t.annex), {"guid": "loose"}),
    GET("v3/routes/<str:guid>/relationships/shared_spaces", SPACE),
    POST("v3/routes/<str:guid>/relationships/shared_spaces", SPACE, "route.manage", many("annex"), cannot=True),
    DELETE("v3/routes/<str:guid>/relationships/shared_spaces/<str:space>", SPACE, "route.manage", cannot=True),
    GET("v3/routes/<str:guid>/destinations", SPACE),
    POST("v3/routes/<str:guid>/destinations", SPACE, "route.manage", destinations("other")),
    PATCH("v3/routes/<str:guid>/destinations", SPACE, "route.manage", destinations("other")),
    PATCH(
        "v3/routes/<str:guid>/destinations/<str:destination>",
        SPACE,
        "route.manage",
        lambda t: {"protocol": "http1"},
    ),
    DELETE("v3/routes/<str:guid>/destinations/<str:destination>", SPACE, "route.manage"),
)

UAA_ROWS = (
    Row("ANY", "uaa/^.*$", public=True, never=True),
    POST("uaa/oauth/token", public=True, send=grant),
    DELETE("uaa/oauth/token/revoke/<str:jti>", do=f"{ACCOUNTS}account.token.revoke", own=True),
    DELETE("uaa/oauth/token/revoke/<str:jti>", do=f"{ACCOUNTS}account.token.revoke", ids={"jti": "root_jti"}),
    POST("uaa/oauth/clients", "", ACCOUNT, lambda t: {"client_id": "walker", "client_secret": PASSWORD}),
    GET("uaa/oauth/clients/<str:client_id>", do=VIEW_ACCOUNT),
    DELETE("uaa/oauth/clients/<str:client_id>", do=ACCOUNT),
    GET("uaa/Users", do=VIEW_ACCOUNT),
    POST("uaa/Users", "", ACCOUNT, lambda t: {"userName": "walked", "password": PASSWORD}),
    GET("uaa/Users/<str:guid>", do=VIEW_ACCOUNT),
    GET("uaa/Users/<str:guid>", do=VIEW_ACCOUNT, own=True, ids={"guid": "me"}, people=True),
    DELETE("uaa/Users/<str:guid>", do=ACCOUNT),
    PUT("uaa/Users/<str:guid>/password", "", f"{ACCOUNTS}account.password", lambda t: {"password": PASSWORD}),
    PUT(
        "uaa/Users/<str:guid>/password",
        "",
        f"{ACCOUNTS}account.password",
        lambda t: {"password": PASSWORD, "oldPassword": FIRST_PASSWORD},
        {"guid": "me"},
        own=True,
    ),
)

ROWS = (*PLATFORM_ROWS, *ORGANIZATION_ROWS, *SPACE_ROWS, *UAA_ROWS)
