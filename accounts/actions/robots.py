"""Making robots: users without a password, which get their tokens for a client id and a secret.

Those that an admin makes here, in UAA's manner, belong to no organization and have one secret without an end. What
organizations make for themselves (``tenants.actions.robot``) is the same kind of account, with keys in its place.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.db import transaction
from oauth2_provider.models import Application

from accounts import audit
from accounts.access import authorize
from accounts.actions.people import UsernameTaken, save
from accounts.models import User
from paas.lib.errors import Unprocessable

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@transaction.atomic
def create_robot(actor: User, *, client_id: str, secret: str) -> User:
    """Write a robot: a user that gets its tokens for a client id, which is its guid too, and a secret."""
    authorize(actor, "account.manage")
    if not CLIENT_ID.fullmatch(client_id):
        raise Unprocessable("A client id has 1 to 64 letters, digits, dots, dashes or underscores.")
    if len(secret) < 12:
        raise Unprocessable("A client's secret has at least 12 characters.")
    if Application.objects.filter(client_id=client_id).exists() or User.objects.filter(guid=client_id).exists():
        raise UsernameTaken(f"Client already exists: {client_id}")
    robot = write_robot(client_id, secret=secret)
    audit.record(actor, "audit.user.create", robot, after=audit.state(robot, ("username", "kind")))
    return robot


def write_robot(client_id: str, *, secret: str = "", **fields: Any) -> User:
    """Write the account and its OAuth client, which share their id; without a secret only keys open it."""
    robot = User(guid=client_id, username=client_id, kind=User.Kind.ROBOT, **fields)
    robot.set_unusable_password()
    save(robot)
    Application.objects.create(
        user=robot,
        client_id=client_id,
        client_secret=secret or secrets.token_urlsafe(32),
        name=client_id,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return robot
