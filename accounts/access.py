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
    "account.update": ("Change one's own names and e-mail address", frozenset({SELF})),
    "account.close": ("Close one's own account", frozenset({SELF})),
    "account.export": ("Get all that is kept about oneself", frozenset({SELF})),
    "invitation.accept": ("Accept an invitation", frozenset({SELF})),
    "account.password": ("Set a password", frozenset({SELF, ADMIN})),
    "account.token.create": ("Make API tokens and passcodes", frozenset({SELF})),
    "account.token.revoke": ("Revoke tokens", frozenset({SELF, ADMIN})),
    "mail.view": ("See the outbox: to whom mail went, and whether it got there", frozenset({ADMIN, READ_ONLY_ADMIN})),
    "mail.manage": ("Read messages of the outbox with their links, and send them again", frozenset({ADMIN})),
    "account.session.end": ("End sign-ins", frozenset({SELF, ADMIN})),
    "account.factor.reset": ("Reset somebody's lost second factor", frozenset({ADMIN})),
    "job.view": ("See background work", frozenset({SELF, ADMIN, READ_ONLY_ADMIN})),
    "usage.view": ("See what everybody consumes", frozenset({ADMIN, READ_ONLY_ADMIN})),
}
# What is left of these, about oneself, to a narrowed token and to "view as"; and what no token is good for at all,
# since each of them would make or change a way in that outlives it.
NARROWED = frozenset({"account.view", "job.view"})
WAYS_IN = frozenset(verb for verb, (_, holders) in TABLE.items() if SELF in holders) - NARROWED
WAYS_IN -= {"account.token.revoke"}


def may(user: User, verb: str, whose: User | None = None) -> bool:
    """Return whether the user holds the verb; ``whose`` is the person whose account or token it is about."""
    _sentence, holders = TABLE[verb]
    if verb in user.authority.barred or (user.authority.is_narrow and not (verb in NARROWED and user == whose)):
        return False
    return user.is_active and (user.platform_role in holders or (SELF in holders and user == whose))


def authorize(user: User, verb: str, whose: User | None = None) -> None:
    """Raise ``NotAuthorized`` unless the user holds the verb."""
    if not may(user, verb, whose):
        raise NotAuthorized()
