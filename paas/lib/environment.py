"""Reads what settings are made of: the environment, the state folder's ``env`` file, and the install's own secret."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("PAAS_STATE") or BASE_DIR / "var").resolve()
KEYS = STATE / "keys"


def _state_environment() -> dict[str, str]:
    file = STATE / "env"
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


_ENV = _state_environment() | dict(os.environ)


def env(name: str, default: str = "") -> str:
    return _ENV.get(name, default)


def whole(name: str, default: int, *, least: int = 0) -> int:
    text = env(name, str(default))
    if not text.isdigit() or int(text) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {text!r}.")
    return int(text)


def database(name: str, default: str = "") -> dict[str, Any]:
    url = env(name, default)
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must be a postgresql://user:password@host:port/database URL, not {url!r}.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        # Compiling a statement takes longer than any of ours.
        "OPTIONS": {"connect_timeout": 5, "application_name": "paas", "options": "-c jit=off"},
    }


def secret_keys(folder: Path = KEYS) -> list[str]:
    """Return the install's keys, the newest first; where nobody gave any, the one in the folder, made when needed."""
    keys = [key for key in env("PAAS_SECRET_KEYS").split(",") if key] or _kept(folder / "secret")
    if any(len(key) < 32 for key in keys):
        raise ImproperlyConfigured("PAAS_SECRET_KEYS must hold keys of at least 32 characters, split by commas.")
    return keys


def _kept(file: Path) -> list[str]:
    """Several processes may come here first, at once: the file appears whole, and all of them get what it holds."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, written = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_urlsafe(48) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(written, file)
        os.unlink(written)
    return file.read_text().split()
