"""Second factors as their owners hold them: an authenticator app that shows codes, and codes on paper."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

PERIOD = 30


class App:
    """An authenticator app; each code is good once, so the ones before and after the present one are used too."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, step: int = 0) -> str:
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // PERIOD + step))


def give_app(person: User) -> App:
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return App(secret)


def give_codes(person: User) -> list[str]:
    return RecoveryCodes.activate(person).get_unused_codes()


def sign_in(page: Client, person: User, *, address: str, password: str = PASSWORD, **more: Any) -> Any:
    """Send the sign-in form; where there is a second factor, this is the first step."""
    sent = {"login": person.username, "password": password, **more}
    return page.post("/accounts/login/", sent, REMOTE_ADDR=address)
