"""How django-allauth behaves here: nobody signs up by themselves, passwords are checked where everybody's are, and
whoever is in is recorded, told of a new device, and sent to add a second factor where one is required.
"""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import factors, gate, signin
from accounts.agents import described
from accounts.models import User, UserSession
from accounts.origin import address_of
from accounts.sessions import KEY
from paas.lib.crypto import decrypt, encrypt

LOCKED = (
    "There were too many wrong passwords for this account from your address. "
    "Wait five minutes, then try again; nobody else is held up."
)
WRONG_CODE = "This code is not right, or was used already. Wait for the next one, or use a recovery code."
DEVICE_COOKIE, DEVICE_SECONDS = "paas_device", int(signin.DEVICE_KEPT.total_seconds())


class Adapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": signin.Refused.default,
        "email_password_mismatch": signin.Refused.default,
        "incorrect_password": "The password is not right.",
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether to go there after signing in: only on the host that was asked, not wherever else we answer."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

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

    def reauthenticate(self, user: Any, password: str) -> bool:
        try:
            return signin.confirm(user, password)
        except signin.Locked as error:
            raise ValidationError(LOCKED) from error

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Whoever has a second factor shows that: a password alone must not be enough to take it away."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        strong = [way for way in ways if way["id"] != "reauthenticate"]
        words = {
            "reauthenticate": "your password",
            "mfa_reauthenticate": "a code from your authenticator app, or a recovery code",
            "mfa_reauthenticate:webauthn": "a passkey",
        }
        return [{**way, "description": words[way["id"]]} for way in strong or ways]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, "This account is switched off. Ask the people who run the platform.")
        return redirect("account_login")

    def post_login(self, request: HttpRequest, user: Any, **hints: Any) -> HttpResponse:
        """Everybody who signs in with a browser, by whatever way, comes past here last."""
        response: HttpResponse = super().post_login(request, user, **hints)
        device = request.COOKIES.get(DEVICE_COOKIE) or secrets.token_urlsafe(32)
        words = described(request.META.get("HTTP_USER_AGENT", ""))
        how = _shown(request, user)
        signin.let_in(user, address=address_of(request), door="console", how=how, device=device, words=words)
        if factors.due(user):
            response = redirect(gate.ways(response.headers["Location"]))
        response.set_cookie(
            DEVICE_COOKIE,
            device,
            max_age=DEVICE_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def logout(self, request: HttpRequest) -> None:
        UserSession.objects.filter(guid=request.session.get(KEY, "")).delete()
        super().logout(request)


def _shown(request: HttpRequest, user: Any) -> str:
    """Return what was shown to sign in ("password and authenticator app"); for a while it need not be shown again."""
    records = get_authentication_records(request, user)
    if records and records[-1]["method"] in ("password", "mfa"):
        records[-1]["reauthenticated"] = True
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    shown = [factors.WORDS[record["type"]] if record["method"] == "mfa" else record["method"] for record in records]
    return " and ".join(shown)


class FactorAdapter(DefaultMFAAdapter):
    """Secrets are kept encrypted, and a passkey belongs to the platform's own host, whichever name it was asked by."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": WRONG_CODE,
        "cannot_delete_authenticator": "Add another second factor first: this one is your last, and you must have one.",
    }

    def get_totp_issuer(self) -> str:
        return settings.PAAS_NAME

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return str(decrypt(encrypted_text))

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        person = authenticator.user
        others = factors.of(person).filter(type__in=factors.SECOND).exclude(pk=authenticator.pk)
        return others.exists() or not factors.required_by(person)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return described(context.request.META.get("HTTP_USER_AGENT", ""))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PAAS_DOMAIN, "name": settings.PAAS_NAME}
