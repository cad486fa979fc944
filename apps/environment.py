"""What an app finds in its environment while it is built and while it runs, from rows and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.models import App, EnvironmentGroup

PORT = 8080
FILE_DESCRIPTORS = 16384


def routes_of(app: App) -> list[str]:
    """The URLs of an app, as ``VCAP_APPLICATION`` lists them."""
    found = {destination.route.url for destination in app.destinations.select_related("route__domain")}
    return sorted(found)


def vcap_application(
    app: App, *, process_type: str = "web", memory_mb: int, disk_mb: int, uris: list[str], version: str = ""
) -> dict[str, Any]:
    space = app.space
    return {
        "cf_api": settings.PAAS_URL,
        "limits": {"fds": FILE_DESCRIPTORS, "mem": memory_mb, "disk": disk_mb},
        "application_name": app.name,
        "application_uris": uris,
        "name": app.name,
        "space_name": space.name,
        "space_id": space.guid,
        "organization_id": space.organization.guid,
        "organization_name": space.organization.name,
        "uris": uris,
        "users": None,
        "process_id": app.guid,
        "process_type": process_type,
        "application_id": app.guid,
        "application_version": version,
        "version": version,
    }


def group(name: str) -> dict[str, str]:
    row = EnvironmentGroup.objects.filter(name=name).first()
    return dict(row.variables) if row else {}


def vcap_services(app: App) -> dict[str, list[dict[str, Any]]]:
    """What is bound, by offering; services come with their own issue, and until then nothing can be."""
    return {}


def staging_environment(app: App, *, memory_mb: int, disk_mb: int) -> dict[str, str]:
    """The environment of a build: the staging group, then the app's own, then the platform's."""
    vcap = vcap_application(app, memory_mb=memory_mb, disk_mb=disk_mb, uris=routes_of(app))
    return {
        **group("staging"),
        **app.environment,
        "VCAP_APPLICATION": json.dumps(vcap),
        "VCAP_SERVICES": json.dumps(vcap_services(app)),
        "MEMORY_LIMIT": f"{memory_mb}m",
        "CF_STACK": app.stack,
        "LANG": "en_US.UTF-8",
    }


def running_environment(app: App, environment: Mapping[str, str], *, memory_mb: int) -> dict[str, str]:
    return {
        **group("running"),
        **environment,
        "VCAP_SERVICES": json.dumps(vcap_services(app)),
        "MEMORY_LIMIT": f"{memory_mb}m",
        "PORT": str(PORT),
        "VCAP_APP_PORT": str(PORT),
        "VCAP_APP_HOST": "0.0.0.0",  # noqa: S104  the app's own container
        "LANG": "en_US.UTF-8",
    }
