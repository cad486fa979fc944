"""What platform roles, and being oneself, let people do with accounts; roles in places are resolved a floor above."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from paas.lib.errors import NotAuthorized

SELF = "self"
ADMIN: Any = User.PlatformRole.ADMIN
READ_ONLY_ADMIN: Any = User.PlatformRole.ADMIN_READ_ONLY

# verb -> (sentence, who holds it)
TABLE: dict[str, tuple[str, frozenset[str]]] = {
    "account.view": ("See an account and how to reach its person", frozenset({SELF, ADMIN, READ_ONLY_ADMIN})),
    "account.manage": ("Create, describe and delete people and robots", frozenset({ADMIN})),
    "account.password": ("Set a password", frozenset({SELF, ADMIN})),
    "account.token.create": ("Make API tokens and passcodes", frozenset({SELF})),
    "account.token.revoke": ("Revoke tokens", frozenset({SELF, ADMIN})),
    "job.view": ("See background work", frozenset({SELF, ADMIN, READ_ONLY_ADMIN})),
    "usage.view": ("See what everybody consumes", frozenset({ADMIN, READ_ONLY_ADMIN})),
}


def may(user: User, verb: str, whose: User | None = None) -> bool:
    """Return whether the user holds the verb; ``whose`` is the person whose account or token it is about."""
    _sentence, holders = TABLE[verb]
    return user.is_active and (user.platform_role in holders or (SELF in holders and user == whose))


def authorize(user: User, verb: str, whose: User | None = None) -> None:
    """Raise ``NotAuthorized`` unless the user holds the verb."""
    if not may(user, verb, whose):
        raise NotAuthorized()
