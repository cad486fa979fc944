"""``/Users``: accounts in UAA's (SCIM's) shape, as ``cf create-user``, ``delete-user`` and ``passwd`` use them."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import authorize
from accounts.actions import create_user, delete_user, set_password
from accounts.models import Job, User
from accounts.uaa.door import UaaView
from paas.lib.errors import BadRequest, NotFound, Unprocessable
from paas.lib.models import by_guid

SCHEMAS = ["urn:scim:schemas:core:1.0"]
COLUMNS = {
    "username": "username__iexact",
    "id": "guid",
    "origin": "origin",
    "email": "email__iexact",
    "emails.value": "email__iexact",
}
CLAUSE = re.compile(r"""\s*(?P<name>[\w.]+)\s+eq\s+(?P<quote>["'])(?P<value>(?:[^"'\\]|\\.)*)(?P=quote)\s*""", re.I)
MOST = 500


def condition(text: str) -> Q:
    """Return what a filter like ``userName eq "a" and origin eq "uaa"`` asks for; raise ``BadRequest``."""
    found, position = Q(), 0
    while True:
        clause = CLAUSE.match(text, position)
        if not clause or clause["name"].lower() not in COLUMNS:
            raise BadRequest(
                f"Invalid filter expression: [{text}]; it may ask for {', '.join(COLUMNS)} with eq and and."
            )
        value = re.sub(r"\\(.)", r"\1", clause["value"]).replace("\0", "")
        found &= Q(**{COLUMNS[clause["name"].lower()]: value})
        position = clause.end()
        if position == len(text):
            return found
        joined = re.compile(r"and\s", re.I).match(text, position)
        if not joined:
            raise BadRequest(f"Invalid filter expression: [{text}]; its parts are joined by and.")
        position = joined.end()


def shape(user: User) -> dict[str, Any]:
    return {
        "id": user.guid,
        "meta": {
            "version": 0,
            "created": user.created_at.isoformat(),
            "lastModified": user.updated_at.isoformat(),
        },
        "userName": user.username,
        "name": {"familyName": user.family_name, "givenName": user.given_name},
        "emails": [{"value": user.email or user.username, "primary": True}],
        "groups": [],
        "active": user.is_active,
        "verified": True,
        "origin": user.origin,
        "zoneId": "uaa",
        "schemas": SCHEMAS,
    }


def text_of(body: Any, name: str) -> str:
    """Return a field that is text, '' where it is not given."""
    value = body.get(name) if isinstance(body, dict) else None
    if value is not None and not isinstance(value, str):
        raise Unprocessable(f"{name} must be text.")
    return value or ""


class UsersView(UaaView):
    """Finds accounts and makes them."""

    def get(self, request: Request) -> Response:
        authorize(request.user, "account.view")
        rows = User.objects.filter(kind=User.Kind.PERSON)
        if asked := request.query_params.get("filter", ""):
            rows = rows.filter(condition(asked))
        start, count = self._number("startIndex", 1), min(self._number("count", 100), MOST)
        found = rows.order_by("created_at", "id")[start - 1 : start - 1 + count]
        return Response(
            {
                "resources": [shape(user) for user in found],
                "startIndex": start,
                "itemsPerPage": count,
                "totalResults": rows.count(),
                "schemas": SCHEMAS,
            }
        )

    def _number(self, name: str, usual: int) -> int:
        text = self.request.query_params.get(name, str(usual))
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
            raise BadRequest(f"{name} must be a positive number.")
        return int(text)

    def post(self, request: Request) -> Response:
        body = request.data
        emails = body.get("emails") or [{}]
        user = create_user(
            request.user,
            username=text_of(body, "userName"),
            password=text_of(body, "password"),
            email=text_of(emails[0] if isinstance(emails, list) else {}, "value"),
            given_name=text_of(body.get("name"), "givenName"),
            family_name=text_of(body.get("name"), "familyName"),
            origin=text_of(body, "origin") or "uaa",
        )
        return Response(shape(user), status=201)


class UserView(UaaView):
    """One account."""

    def get(self, request: Request, guid: str) -> Response:
        user = _found(guid)
        authorize(request.user, "account.view", user)
        if user is None:
            raise _missing(guid)
        return Response(shape(user))

    def delete(self, request: Request, guid: str) -> Response:
        """Delete the account; ``cf delete-user`` has just done so through ``/v3/users``, and wants to hear of it."""
        authorize(request.user, "account.manage")
        user = _found(guid)
        if user is not None:
            answer = shape(user)
            delete_user(request.user, user)
            return Response(answer)
        if "\0" not in guid and Job.objects.filter(operation="user.delete", resource_guid=guid).exists():
            return Response({"id": guid, "origin": "uaa", "active": False})
        raise _missing(guid)


class PasswordView(UaaView):
    """``cf passwd``."""

    def put(self, request: Request, guid: str) -> Response:
        user = _found(guid)
        authorize(request.user, "account.password", user)
        if user is None:
            raise _missing(guid)
        set_password(
            request.user, user, password=text_of(request.data, "password"), old=text_of(request.data, "oldPassword")
        )
        return Response({"status": "ok", "message": "password updated"})


def _found(guid: str) -> User | None:
    return by_guid(User.objects.filter(kind=User.Kind.PERSON), guid)


def _missing(guid: str) -> NotFound:
    return NotFound(f"User {guid} does not exist")
