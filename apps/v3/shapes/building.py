"""How packages, builds, droplets, buildpacks and stacks look in the v3 API."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.models import Build, Buildpack, Droplet, EnvironmentGroup, Package, Stack
from apps.v3.shapes.running import lifecycle
from paas.lib.v3 import base, link, metadata, stamp, to_one

CF_CLI = re.compile(r"cf\d*/")
LINES_ON_THEIR_WAY = timedelta(seconds=2.5)


def checksum(sha256: str) -> dict[str, str] | None:
    return {"type": "sha256", "value": sha256} if sha256 else None


def package(request: Any, row: Package) -> dict[str, Any]:
    """Wants ``app`` joined."""
    here = f"/v3/packages/{row.guid}"
    links = {"self": link(request, here), "app": link(request, f"/v3/apps/{row.app.guid}")}
    if row.type == "docker":
        data: dict[str, Any] = {"image": row.image}
        if row.credentials.get("username"):
            data |= {"username": row.credentials["username"], "password": "***"}
    else:
        data = {"error": row.error or None, "checksum": {"type": "sha256", "value": row.sha256 or None}}
        links["upload"] = link(request, f"{here}/upload", "POST")
        links["download"] = link(request, f"{here}/download", "GET")
    return base(
        row,
        type=row.type,
        data=data,
        state=row.state,
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links=links,
    )


def settled(request: Any, row: Build) -> bool:
    """Tell whether the caller may see how the build ended.

    The ``cf`` command prints no line younger than two seconds and stops reading when it sees the end, so it hears
    of the end a little later: the last lines, and the reason of a failure among them, reach the screen.
    """
    if row.state == Build.State.STAGING:
        return False
    if row.ended_at is None or not CF_CLI.match(request.headers.get("User-Agent", "")):
        return True
    return timezone.now() - row.ended_at >= LINES_ON_THEIR_WAY


def build(request: Any, row: Build) -> dict[str, Any]:
    """Wants ``app``, ``package``, ``droplet`` and ``created_by`` joined."""
    over = settled(request, row)
    by = row.created_by
    links = {"self": link(request, f"/v3/builds/{row.guid}"), "app": link(request, f"/v3/apps/{row.app.guid}")}
    if over and row.droplet:
        links["droplet"] = link(request, f"/v3/droplets/{row.droplet.guid}")
    return base(
        row,
        created_by={"guid": by.guid, "name": by.username, "email": by.email} if by else None,
        state=row.state if over else Build.State.STAGING,
        staging_memory_in_mb=row.memory_mb,
        staging_disk_in_mb=row.disk_mb,
        staging_log_rate_limit_bytes_per_second=row.log_rate,
        error=(row.error or None) if over else None,
        warnings=[],
        lifecycle=lifecycle(row.lifecycle, row.buildpacks, row.stack),
        package={"guid": row.package.guid if row.package else None},
        droplet={"guid": row.droplet.guid} if over and row.droplet else None,
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links=links,
    )


def droplet(request: Any, row: Droplet, *, hidden: str = "") -> dict[str, Any]:
    """Wants ``app`` and ``package`` joined; ``hidden`` stands in for each start command."""
    here = f"/v3/droplets/{row.guid}"
    links = {
        "self": link(request, here),
        "app": link(request, f"/v3/apps/{row.app.guid}"),
        "assign_current_droplet": link(request, f"/v3/apps/{row.app.guid}/relationships/current_droplet", "PATCH"),
    }
    if row.package:
        links["package"] = link(request, f"/v3/packages/{row.package.guid}")
    if row.state == Droplet.State.AWAITING_UPLOAD:
        links["upload"] = link(request, f"{here}/upload", "POST")
    elif row.key:
        links["download"] = link(request, f"{here}/download")
    return base(
        row,
        state=row.state,
        error=row.error or None,
        lifecycle={"type": "docker" if row.image else "buildpack", "data": {}},
        execution_metadata="",
        process_types={name: hidden or command for name, command in row.process_types.items()},
        checksum=checksum(row.sha256),
        buildpacks=row.buildpacks,
        stack=row.stack or None,
        image=row.image or None,
        relationships={"app": to_one(row.app.guid)},
        metadata=metadata(row),
        links=links,
    )


def buildpack(request: Any, row: Buildpack) -> dict[str, Any]:
    here = f"/v3/buildpacks/{row.guid}"
    return base(
        row,
        name=row.name,
        stack=row.stack,
        state=row.state,
        filename=row.filename or None,
        position=row.position,
        enabled=row.enabled,
        locked=row.locked,
        lifecycle="buildpack",
        metadata=metadata(row),
        links={"self": link(request, here), "upload": link(request, f"{here}/upload", "POST")},
    )


def stack(request: Any, row: Stack) -> dict[str, Any]:
    return base(
        row,
        name=row.name,
        description=row.description or None,
        default=row.is_default,
        build_rootfs_image=row.name,
        run_rootfs_image=row.name,
        metadata=metadata(row),
        links={"self": link(request, f"/v3/stacks/{row.guid}")},
    )


def environment_group(request: Any, row: EnvironmentGroup) -> dict[str, Any]:
    return {
        "name": row.name,
        "updated_at": stamp(row.updated_at),
        "var": row.variables,
        "links": {"self": link(request, f"/v3/environment_variable_groups/{row.name}")},
    }
