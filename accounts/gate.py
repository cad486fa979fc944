"""Keeps platform admins who must have a second factor, and have none, from everything but what leads to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import factors

OPEN = frozenset(
    {
        "account_link", "account_login", "account_logout", "account_password", "account_reauthenticate", "mfa_index",
        "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
    }
)  # fmt: skip


def ways(back: str) -> str:
    """Return the address where a second factor is added, from where it goes on to ``back``."""
    return f"{reverse('mfa_index')}?{urlencode({'next': back})}"


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.url_name if request.resolver_match else ""
        if not request.user.is_authenticated or name in OPEN or not factors.keeps_out(request.user):
            return None
        return redirect(ways(request.get_full_path() if request.method == "GET" else "/"))
