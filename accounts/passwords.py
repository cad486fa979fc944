"""What a password may not be: common, or made of what everybody knows of its person. There are no rules of composition."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

MOST = 128
LEAST_PART = 4  # letters of a name or an address, from which on a password may not contain it
FEW = 4  # different characters, at most, of what is merely repeated

_AROUND = re.compile(r"^[^a-z]+|[^a-z]+$")
_PARTS = re.compile(r"[^\W_]+")


class NotTooLong:
    """Longer ones would only cost time, and some tool on the way would cut them."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) > MOST:
            raise ValidationError(f"This password is too long. It may have {MOST} characters at most.")

    def get_help_text(self) -> str:
        return f"At most {MOST} characters."


class NotCommon:
    """Neither on the lists of passwords that leak most often, nor one of them with digits or signs around it."""

    def __init__(self) -> None:
        self.common = CommonPasswordValidator().passwords | set(FREQUENCY_LISTS["passwords"])

    def validate(self, password: str, user: Any = None) -> None:
        plain = password.lower().strip()
        if plain in self.common or _AROUND.sub("", plain) in self.common or len(set(plain)) <= FEW:
            raise ValidationError(
                "This password is one of those that are tried first. Use three or four words that do not belong together."
            )

    def get_help_text(self) -> str:
        return "Not one that many people use."


class NotTheirs:
    """Without the person's name, username or address in it, and without the platform's name."""

    def validate(self, password: str, user: Any = None) -> None:
        plain = password.lower()
        if found := next((part for part in self._parts(user) if part in plain), ""):
            raise ValidationError(f"This password contains “{found}”, which is easy to guess of you. Leave it out.")

    def _parts(self, user: Any) -> list[str]:
        known = [settings.PAAS_NAME]
        if user is not None:
            known += [user.username, user.email or "", user.given_name, user.family_name]
        parts = {part.lower() for text in known for part in _PARTS.findall(text.partition("@")[0])}
        return sorted(part for part in parts if len(part) >= LEAST_PART)

    def get_help_text(self) -> str:
        return "Without your name or e-mail address."
