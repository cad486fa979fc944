"""Everything that is kept about a person, as one JSON document that is written as it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from accounts import mail
from accounts.models import ApiToken, AuditEvent, Device, Mail, User, UserSession
from tenants import access
from tenants.models import Invitation, OrganizationRole, QuotaRequest, Robot, RoleRequest, SpaceRole

AT_ONCE = 500  # rows
Rows = Iterator[dict[str, Any]]


def document(person: User) -> Iterator[str]:
    """Yield the document's text, a row at a time: secrets are not in it, for not even we can read them."""
    yield '{\n"account": ' + _text(_account(person))
    for name, rows in PARTS.items():
        yield f',\n"{name}": ['
        for number, row in enumerate(rows(person)):
            yield (",\n  " if number else "\n  ") + _text(row)
        yield "\n]"
    yield "\n}\n"


def _text(row: dict[str, Any]) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)


def _account(person: User) -> dict[str, Any]:
    fields = ("guid", "username", "origin", "email", "given_name", "family_name", "platform_role", "created_at")
    more = ("last_login", "labels", "annotations", "address_ranges")
    return {name: getattr(person, name) for name in (*fields, *more)}


def _roles(person: User) -> Rows:
    for model in (OrganizationRole, SpaceRole):
        rows: Iterable[Any] = (
            model.objects.filter(user=person)
            .select_related("permission__custom_role", "content_object", "granted_by")
            .order_by("id")
        )
        for row in rows:
            yield {
                "role": access.role_label(row.permission),
                "where": type(row.content_object).__name__.lower(),
                "name": row.content_object.name,
                "since": row.created_at,
                "until": row.expires_at,
                "reason": row.reason,
                "given_by": row.granted_by.username if row.granted_by else None,
            }


def _values(rows: Any, *names: str) -> Rows:
    yield from rows.order_by("id").values(*names).iterator(AT_ONCE)


def _mails(person: User) -> Rows:
    for row in Mail.objects.filter(to__iexact=person.email or "").order_by("id").iterator(AT_ONCE):
        yield {"subject": row.subject, "text": mail.blanked(row.body), "at": row.created_at, "sent_at": row.sent_at}


def _tokens(person: User) -> Rows:
    fields = ("name", "scope", "verbs", "created_at", "expires_at", "last_used_at", "last_used_address")
    return _values(ApiToken.objects.filter(user=person), *fields)


def _invitations(person: User) -> Rows:
    mine = Q(invited_by=person) | Q(accepted_by=person) | Q(email__iexact=person.email or "")
    return _values(Invitation.objects.filter(mine), "email", "organization__name", "state", "sent_at", "expires_at")


def _events(person: User) -> Rows:
    """What they did, and what was done to their account."""
    names = (
        "created_at", "type", "actor_name", "target_type", "target_name", "organization_name", "space_name", "door",
        "address", "via", "data",
    )  # fmt: skip
    return _values(AuditEvent.objects.filter(Q(actor_guid=person.guid) | Q(target_guid=person.guid)), *names)


PARTS: dict[str, Callable[[User], Rows]] = {
    "roles": _roles,
    "api_tokens": _tokens,
    "second_factors": lambda person: _values(person.authenticator_set, "type", "created_at", "last_used_at"),
    "devices": lambda person: _values(Device.objects.filter(user=person), "created_at", "seen_at"),
    "sessions": lambda person: _values(
        UserSession.objects.filter(user=person), "client", "agent", "address", "created_at", "seen_at", "expires_at"
    ),
    "role_requests": lambda person: _values(
        RoleRequest.objects.filter(user=person), "organization__name", "space__name", "reason", "state", "created_at"
    ),
    "quota_requests": lambda person: _values(
        QuotaRequest.objects.filter(asked_by=person),
        *("organization__name", "space__name", "limits", "reason", "state", "created_at"),
    ),
    "invitations": _invitations,
    "robots_looked_after": lambda person: _values(
        Robot.objects.filter(caretaker=person), "user__username", "organization__name", "description"
    ),
    "mail": _mails,
    "events": _events,
}
