"""What the control plane is told: its environment, also kept in ``<state>/env`` so that ``manage.py`` works by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from . import images, stores
from .install import Install, write_private
from .settings import CHECKOUT, Settings

DEFAULT_STACK = "debian12"
NOT_KEPT = ("PAAS_ADMIN_EMAIL", "PAAS_ADMIN_PASSWORD")  # of use to the first start only


def of(settings: Settings, install: Install, stack_image: str) -> dict[str, str]:
    """Return the variables that Django's settings read."""
    kept = stores.addresses(settings, install)
    return {
        **{name: value for name, value in os.environ.items() if name.startswith("PAAS_") and name not in NOT_KEPT},
        "PAAS_STATE": str(settings.state),
        "PAAS_INSTALL": install.id,
        "PAAS_PORT": str(settings.port),
        "PAAS_TLS_PORT": str(settings.tls_port),
        "PAAS_DOMAIN": settings.domain,
        "PAAS_APPS_DOMAIN": settings.apps_domain,
        "PAAS_TLS": settings.tls,
        "PAAS_SUBNET": install.subnet,
        "PAAS_WEB_PORT": str(install.web_port),
        "PAAS_STACK_IMAGES": json.dumps({DEFAULT_STACK: stack_image}),
        "PAAS_SERVICE_IMAGES": json.dumps(images.service_names()),
        "PAAS_EGRESS_ALLOW": ",".join(settings.egress_allow),
        "PAAS_EGRESS_DENY": ",".join(settings.egress_deny),
        "PAAS_MEMORY_MB": str(settings.memory_mb or ""),
        "DATABASE_URL": kept.database_url,
        "DATABASE_OWNER_URL": kept.database_owner_url,
        "REDIS_URL": kept.redis_url,
    }


def save(settings: Settings, variables: Mapping[str, str]) -> None:
    """Write the file that ``manage.py`` in this checkout reads; empty values are left to their defaults."""
    lines = [f"{name}={value}" for name, value in variables.items() if value]
    write_private(
        settings.state / "env",
        "# Written at every start; change the settings, not this file.\n" + "\n".join(lines) + "\n",
    )


def process(variables: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return the whole environment of a control plane process."""
    given = {name: value for name, value in os.environ.items() if value or not name.startswith("PAAS_")}
    ours = {**given, **{name: value for name, value in variables.items() if value}, **more}
    # Compiled modules have to be kept, or each of four processes compiles them all at every start.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(CHECKOUT), "DJANGO_SETTINGS_MODULE": "paas.settings"}
