"""How django-allauth behaves here: nobody signs up by themselves, and passwords are checked where everybody's are."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import signin
from accounts.models import User

LOCKED = (
    "There were too many wrong passwords for this account from your address. "
    "Wait five minutes, then try again; nobody else is held up."
)


class Adapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": signin.Refused.default,
        "email_password_mismatch": signin.Refused.default,
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether to go there after signing in: only on the host that was asked, not wherever else we answer."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        login = credentials.get("username") or credentials.get("email") or ""
        try:
            return signin.by_password(
                login, credentials.get("password", ""), address=address_of(request), door="console"
            )
        except signin.Locked as error:
            raise ValidationError(LOCKED) from error
        except signin.Refused:
            return None


def address_of(request: HttpRequest) -> str:
    """Return where the request came from; the web server believes only the platform's own router about it."""
    return str(request.META.get("REMOTE_ADDR", ""))
