"""What an app finds in its environment while it is built and while it runs, from rows and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps import swaps
from apps.models import App, Deployment, EnvironmentGroup
from services import credentials

PORT = 8080
BINDINGS = "/etc/cf-service-bindings"  # the runtime's place for the files of a workload
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


def bound(app: App, deployment: Deployment | None = None) -> dict[str, str]:
    """What services add to the environment: VCAP_SERVICES, or where its files are, and the first database's address."""
    found = in_build(app, deployment)
    if app.service_files:
        del found["VCAP_SERVICES"]
    if app.service_files == App.ServiceFiles.K8S:
        found["SERVICE_BINDING_ROOT"] = BINDINGS
    if app.service_files == App.ServiceFiles.VCAP:
        found["VCAP_SERVICES_FILE_PATH"] = f"{BINDINGS}/{credentials.VCAP_FILE}"
    return found


def in_build(app: App, deployment: Deployment | None = None) -> dict[str, str]:
    """The same for a build, which has no such files: there it is a variable for every app."""
    bindings = swaps.given(app, deployment)
    url = credentials.database_url(bindings)
    given = {"DATABASE_URL": url} if url else {}
    return {**given, "VCAP_SERVICES": json.dumps(credentials.vcap_services(bindings))}


def service_files(app: App, deployment: Deployment | None = None) -> dict[str, str]:
    """The files below ``BINDINGS`` of an app that has chosen to find its credentials there."""
    if not app.service_files:
        return {}
    bindings = swaps.given(app, deployment)
    many = app.service_files == App.ServiceFiles.K8S
    return credentials.many_files(bindings) if many else credentials.one_file(bindings)


def staging_environment(app: App, *, memory_mb: int, disk_mb: int) -> dict[str, str]:
    """The environment of a build: the staging group, then the app's own, then the platform's."""
    vcap = vcap_application(app, memory_mb=memory_mb, disk_mb=disk_mb, uris=routes_of(app))
    return {
        **group("staging"),
        **app.environment,
        "VCAP_APPLICATION": json.dumps(vcap),
        **in_build(app),
        "MEMORY_LIMIT": f"{memory_mb}m",
        "CF_STACK": app.stack,
        "LANG": "en_US.UTF-8",
    }


def running_environment(
    app: App, environment: Mapping[str, str], *, memory_mb: int, deployment: Deployment | None = None
) -> dict[str, str]:
    """That of the deployment's instances; of a task where none is given."""
    return {
        **group("running"),
        **environment,
        **bound(app, deployment),
        "MEMORY_LIMIT": f"{memory_mb}m",
        "PORT": str(PORT),
        "VCAP_APP_PORT": str(PORT),
        "VCAP_APP_HOST": "0.0.0.0",  # noqa: S104  the app's own container
        "LANG": "en_US.UTF-8",
    }
