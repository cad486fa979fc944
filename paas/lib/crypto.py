"""Encrypts what must not be readable in the database or a backup; keys carry ids and rotate."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

ENCRYPTED = re.compile("[0-9a-f]{8}:gAAAAA[A-Za-z0-9_-]+=*$")


def key_id(secret: str) -> str:
    return hashlib.sha256(f"paas-key-id:{secret}".encode()).hexdigest()[:8]


def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"paas-fields:{secret}".encode()).digest()))


def prefix() -> str:
    """Return what everything begins with that the newest key has encrypted."""
    return f"{key_id(settings.PAAS_SECRET_KEYS[0])}:"


def is_encrypted(text: str) -> bool:
    return ENCRYPTED.match(text) is not None


def encrypt(value: Any) -> str:
    """Return ``<key id>:<token>`` for any JSON value, under the newest key."""
    token = _fernet(settings.PAAS_SECRET_KEYS[0]).encrypt(json.dumps(value, cls=DjangoJSONEncoder).encode())
    return prefix() + token.decode()


def decrypt(text: str) -> Any:
    """Return the value; raise ``LookupError`` when the key that encrypted it is no longer configured."""
    name, _, token = text.partition(":")
    for secret in settings.PAAS_SECRET_KEYS:
        if key_id(secret) == name:
            try:
                return json.loads(_fernet(secret).decrypt(token.encode()))
            except InvalidToken as error:
                raise LookupError(f"A value encrypted with key {name} is damaged.") from error
    raise LookupError(f"The key {name} is not in PAAS_SECRET_KEYS; add it behind the newest one.")


class EncryptedJSONField(models.TextField):
    """A JSON value that is stored encrypted; it cannot be searched."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encrypt(value)

    def to_python(self, value: Any) -> Any:
        return value
