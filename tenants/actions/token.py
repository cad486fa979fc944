"""Making API tokens that carry some of the permissions of the person they belong to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts import tokens
from accounts.access import authorize
from accounts.actions.tokens import create_api_token
from accounts.models import ApiToken, User
from paas.lib.errors import Unprocessable
from tenants import access
from tenants.permissions import READING, SECRETS, TABLE

NEVER = frozenset({"robot.manage"})  # it makes keys, which would outlive the token
PUSH = frozenset(
    {
        "organization.view", "space.view", "app.view", "app.create", "app.push", "app.deploy", "app.stage", "app.run",
        "app.scale", "app.update", "process.update", "app.set_environment", "app.see_environment", "log.read",
        "route.manage", "service.view", "service.bind", "task.run", "task.cancel",
    }
)  # fmt: skip
# What many tokens are for: name -> (in words, permissions)
PRESETS = {
    "read": ("Read only: what you see, but for environment variables, credentials and code", READING - SECRETS),
    "push": ("Push from CI: push, configure, start and scale apps, with routes, tasks and logs", PUSH),
}


def grantable(user: User) -> dict[str, str]:
    """Return {permission: sentence} of what a token of the user can carry: what they hold anywhere."""
    held = access.verbs_anywhere(user) - NEVER
    return {verb: line.sentence for verb, line in TABLE.items() if verb in held}


@transaction.atomic
def create(
    actor: User,
    *,
    name: str,
    expires_at: datetime | None = None,
    scope: str = "",
    permissions: Collection[str] | None = None,
) -> tuple[ApiToken, str]:
    """Make a token of one's own; return it and its text, which is shown this once.

    ``permissions`` narrows it to some of the named ones; without, it can do whatever its person can at the time.
    """
    authorize(actor, "account.token.create", actor)
    if permissions is not None:
        _check(actor, permissions)
        scope = scope or (tokens.READ if READING.issuperset(permissions) else "")
    return create_api_token(actor, name=name, expires_at=expires_at, scope=scope, verbs=permissions)


def _check(actor: User, permissions: Collection[str]) -> None:
    if not permissions:
        raise Unprocessable("A token needs at least one permission.")
    if unknown := sorted({*permissions} - {*TABLE}):
        raise Unprocessable(f"There is no permission '{unknown[0]}'. The documentation lists them at /docs/roles.")
    if never := sorted({*permissions} & NEVER):
        raise Unprocessable(f"No token carries the permission '{never[0]}': keys are made by who has signed in.")
    if missing := sorted({*permissions} - {*grantable(actor)}):
        raise Unprocessable(f"You do not hold the permission '{missing[0]}' in any organization or space.")
