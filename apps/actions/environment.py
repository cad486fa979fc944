"""Showing what an app's environment and its start commands hold; every reading is recorded."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import User
from apps import swaps
from apps.environment import group, routes_of, vcap_application
from apps.models import App, Revision
from services import credentials
from tenants.access import authorize, may
from tenants.flags import require_flag

REDACTED = {"redacted_message": "[PRIVATE DATA HIDDEN]"}


@transaction.atomic
def show(actor: User, app: App) -> dict[str, dict[str, Any]]:
    """Return all that an app's next start will find, by where it comes from; credentials for who may see those."""
    authorize(actor, "app.see_environment", app.space)
    require_flag("env_var_visibility", actor)
    require_flag("space_developer_env_var_visibility", actor)
    seen = may(actor, "service.see_credentials", app.space)
    bindings = swaps.given(app) if seen else []
    audit.record(actor, "audit.app.environment.show", app, service_binding_guids=[each.guid for each in bindings])
    web = app.processes.get(type="web")
    bound = {"VCAP_SERVICES": credentials.vcap_services(bindings)} if seen else REDACTED
    vcap = vcap_application(app, memory_mb=web.memory_mb, disk_mb=web.disk_mb, uris=routes_of(app))
    return {
        "staging_env_json": group("staging"),
        "running_env_json": group("running"),
        "environment_variables": app.environment,
        "system_env_json": bound,
        "application_env_json": {"VCAP_APPLICATION": vcap},
    }


@transaction.atomic
def show_variables(actor: User, app: App) -> dict[str, str]:
    """Return the variables that the team has set."""
    authorize(actor, "app.see_environment", app.space)
    require_flag("space_developer_env_var_visibility", actor)
    audit.record(actor, "audit.app.environment_variables.show", app)
    return dict(app.environment)


@transaction.atomic
def show_commands(actor: User, app: App, *, of: str, guid: str = "") -> None:
    """Record that somebody reads start commands, which may hold secrets: those of one thing, or of a list of them."""
    authorize(actor, "app.see_secrets", app.space)
    which: dict[str, Any] = {"of": of} | ({"of_guid": guid} if guid else {})
    audit.record(actor, "audit.app.commands.show", app, **which)


@transaction.atomic
def show_revision_variables(actor: User, revision: Revision) -> dict[str, str]:
    """Return the variables as they were when the revision was made."""
    authorize(actor, "app.see_secrets", revision.app.space)
    require_flag("space_developer_env_var_visibility", actor)
    audit.record(
        actor, "audit.app.revision.environment_variables.show", revision.app, revision_guid=revision.guid,
        revision_version=revision.version,
    )  # fmt: skip
    return dict(revision.environment)
