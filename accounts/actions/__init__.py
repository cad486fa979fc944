"""What people do with accounts: making and removing them, passwords, tokens, second factors, sessions."""

from __future__ import annotations

from accounts.actions.factors import reset_factors
from accounts.actions.first import CF, FIRST_ADMIN, ensure_oauth_client, ensure_system_user, first_admin
from accounts.actions.passwords import WrongPassword, reset_password, set_password
from accounts.actions.people import UsernameTaken, create_user, delete_user, describe_user
from accounts.actions.platform_role import set_platform_role
from accounts.actions.robots import create_robot
from accounts.actions.sessions import end_session, end_sessions
from accounts.actions.tokens import create_api_token, create_passcode, revoke_api_token, revoke_token

__all__ = [
    "CF",
    "FIRST_ADMIN",
    "UsernameTaken",
    "WrongPassword",
    "create_api_token",
    "create_passcode",
    "create_robot",
    "create_user",
    "delete_user",
    "describe_user",
    "end_session",
    "end_sessions",
    "ensure_oauth_client",
    "ensure_system_user",
    "first_admin",
    "reset_factors",
    "reset_password",
    "revoke_api_token",
    "revoke_token",
    "set_password",
    "set_platform_role",
]
