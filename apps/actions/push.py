"""From source to a droplet: packages, builds, and going live when a build is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps.actions import app as apps
from apps.actions import capacity, source_file
from apps.actions.source_file import KnownFile
from apps.environment import staging_environment
from apps.models import App, Build, Buildpack, Droplet, Package
from paas.lib.errors import BadRequest, StagingInProgress, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants import quotas
from tenants.access import authorize
from tenants.flags import require_flag

BUILD_MEMORY_MB, BUILD_DISK_MB, BUILD_DISK_MOST_MB = 1024, 4096, 10240


def check_buildpacks(names: list[str], app_name: str = "") -> None:
    """Raise unless each is an enabled buildpack's name or the address of one."""
    known = set(Buildpack.objects.filter(name__in=names).values_list("name", flat=True))
    for name in names:
        if name not in known and not name.startswith(("https://", "http://", "git://", "git@")):
            raise Unprocessable(
                f"For application '{app_name}': Specified unknown buildpack name: \"{name}\""
                if app_name
                else f'Buildpack "{name}" must be an existing admin buildpack or a valid git URI'
            )


def check_build_size(app: App, *, memory_mb: int | None, disk_mb: int | None) -> None:
    """Raise if a build asks for more than a quota lets an instance have, or than there can be."""
    if memory_mb is not None:
        quotas.check_process_memory(app.space, memory_mb)
        if memory_mb > capacity.machine_memory_mb():
            raise Unprocessable(
                f"A build cannot have {memory_mb} MB of memory: the platform has {capacity.machine_memory_mb()} MB."
            )
    if disk_mb is not None and disk_mb > BUILD_DISK_MOST_MB:
        raise Unprocessable(f"A build cannot have {disk_mb} MB of disk; at most {BUILD_DISK_MOST_MB} MB are given.")


def check_repository(url: str, ref: str) -> None:
    """Raise unless a build can fetch the repository as anybody could: what it holds is seen by whoever sees the app."""
    try:
        parts = urlsplit(url)
    except ValueError:  # half of an IPv6 address, for one
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
        raise Unprocessable("The address of the repository must begin with https:// (or http://) and name a host.")
    if "@" in parts.netloc:
        raise Unprocessable(
            "The address of the repository must not hold a user or a password: everybody who sees the app would read it."
        )
    if ref.startswith("-") or not ref.isprintable() or " " in ref:
        raise Unprocessable("That is not the name of a branch or a tag, nor a commit.")


@transaction.atomic
def create_package(
    actor: User,
    app: App,
    *,
    type: str = "bits",
    image: str = "",
    credentials: dict[str, str] | None = None,
    source_url: str = "",
    source_ref: str = "",
    metadata: dict[str, Any] | None = None,
) -> Package:
    """Write a package: bits wait for their upload, an image or a git repository is ready at once."""
    authorize(actor, "app.push", app.space)
    if type == "docker":
        require_flag("diego_docker", actor)
    else:
        require_flag("app_bits_upload", actor)
    if (type == "docker") != (app.lifecycle == App.Lifecycle.DOCKER):
        raise Unprocessable(f"Cannot create {type} package for a {app.lifecycle} app.")
    if source_url:
        check_repository(source_url, source_ref)
    package = Package.objects.create(
        app=app,
        type=type,
        state=Package.State.READY if type == "docker" or source_url else Package.State.AWAITING_UPLOAD,
        source_url=source_url,
        source_ref=source_ref,
        image=image,
        credentials=credentials or {},
        **merged(None, metadata or {}),
    )
    after = audit.state(package, ("type", "image", "credentials", "source_url", "source_ref"))
    audit.record(actor, "audit.app.package.create", app, package_guid=package.guid, package_type=type, after=after)
    return package


@transaction.atomic
def start_upload(actor: User, package: Package) -> Package:
    """Take the package for one upload; a second one at the same time is refused."""
    authorize(actor, "app.push", package.app.space)
    require_flag("app_bits_upload", actor)
    package = Package.objects.lock(package.pk)
    if package.type != "bits":
        raise Unprocessable("Package type must be bits.")
    if package.state != Package.State.AWAITING_UPLOAD:
        raise Unprocessable("Bits may be uploaded only once. Create a new package to upload different bits.")
    package.state = Package.State.PROCESSING_UPLOAD
    package.save(update_fields=["state", "updated_at"])
    return package


@transaction.atomic
def finish_upload(
    actor: User,
    package: Package,
    *,
    key: str,
    sha256: str,
    content_sha256: str,
    size: int,
    files: Iterable[KnownFile] = (),
) -> Package:
    """The bits are in the blob store under ``key``: the package is ready, and ``files`` need not be sent again."""
    authorize(actor, "app.push", package.app.space)
    package = Package.objects.lock(package.pk)
    package.key, package.sha256, package.content_sha256, package.size = key, sha256, content_sha256, size
    package.state, package.error = Package.State.READY, ""
    package.save(update_fields=["key", "sha256", "content_sha256", "size", "state", "error", "updated_at"])
    doubtful = source_file.remember(package.app.organization, files)
    doubt: dict[str, Any] = {"sha1_of_two_files": doubtful} if doubtful else {}
    audit.record(
        actor,
        "audit.app.package.upload",
        package.app,
        package_guid=package.guid,
        size=size,
        **doubt,
    )
    return package


@transaction.atomic
def refuse_upload(actor: User, package: Package, *, error: str) -> None:
    """The bits were no good: nothing of them is kept, and nothing newer hides the packages before it."""
    authorize(actor, "app.push", package.app.space)
    audit.record(actor, "audit.app.package.upload-refused", package.app, package_guid=package.guid, error=error)
    Package.objects.filter(pk=package.pk, state=Package.State.PROCESSING_UPLOAD).delete()


@transaction.atomic
def stage(
    actor: User,
    package: Package,
    *,
    buildpacks: list[str] | None = None,
    stack: str = "",
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    log_rate: int = -1,
    deploys: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Build:
    """Ask for a build of the package. Of one app only one build runs; a package built before is built anew."""
    authorize(actor, "app.stage", package.app.space)
    app = App.objects.lock(package.app_id)
    package = Package.objects.get(pk=package.pk)
    if package.state != Package.State.READY:
        raise BadRequest("Bad request: Cannot stage package whose state is not ready.")
    wanted = app.buildpacks if buildpacks is None else buildpacks
    check_buildpacks(wanted)
    check_build_size(app, memory_mb=memory_mb, disk_mb=disk_mb)
    memory, disk = memory_mb or BUILD_MEMORY_MB, disk_mb or BUILD_DISK_MB
    try:
        with transaction.atomic():
            build = Build.objects.create(
                app=app,
                package=package,
                memory_mb=memory,
                disk_mb=disk,
                log_rate=log_rate,
                lifecycle=app.lifecycle,
                buildpacks=wanted,
                stack=stack or app.stack,
                environment=staging_environment(app, memory_mb=memory, disk_mb=disk),
                fresh=package.builds.exists(),
                deploys=deploys,
                created_by=actor,
                due_at=timezone.now(),
                **merged(None, metadata or {}),
            )
    except IntegrityError as error:
        raise StagingInProgress() from error
    after = audit.state(build, ("buildpacks", "stack", "memory_mb", "disk_mb"))
    audit.record(actor, "audit.app.build.create", app, build_guid=build.guid, package_guid=package.guid, after=after)
    audit.usage(
        "build",
        "STAGING_STARTED",
        build,
        space=app.space,
        parent_guid=app.guid,
        parent_name=app.name,
        memory_mb=memory,
        instances=1,
    )
    later("apps.jobs.stage", build.pk)
    return build


@transaction.atomic
def cancel(actor: User, build: Build) -> Build:
    """Ask the build to end; it does within a second or two, at whatever step it is."""
    authorize(actor, "app.stage", build.space)
    build = Build.objects.lock(build.pk)
    if build.state == Build.State.STAGING and not build.cancelled:
        Build.objects.filter(pk=build.pk).update(cancelled=True, due_at=timezone.now())
        if build.started_at is None:  # still in the queue: nobody needs to be told
            text = "StagingCancelled - The build was cancelled before it began. Push again to build."
            build.state, build.error, build.error_title = Build.State.FAILED, text, "StagingCancelled"
            Build.objects.filter(pk=build.pk).update(
                state=build.state, error=text, error_title="StagingCancelled", ended_at=timezone.now(), due_at=None
            )
            _ended(build, "FAILED", error=text)
        audit.record(actor, "audit.app.build.cancel", build.app, build_guid=build.guid)
        later("apps.jobs.stage", build.pk)
    return build


def succeed(build: Build, droplet: Droplet) -> None:
    """Record in the job's transaction that the build made (or found) a droplet, and go live if it was asked to."""
    _ended(build, "STAGED", droplet_guid=droplet.guid)
    if build.deploys and build.created_by:
        apps.use_droplet(build.created_by, build.app, droplet=droplet)
        apps.restart(build.created_by, build.app)


def fail(build: Build, error: str) -> None:
    _ended(build, "FAILED", error=error)


def _ended(build: Build, state: str, **data: Any) -> None:
    actor = build.created_by or User.objects.system()
    audit.record(actor, f"audit.app.build.{state.lower()}", build.app, build_guid=build.guid, **data)
    audit.usage(
        "build",
        "STAGING_STOPPED",
        build,
        space=build.space,
        parent_guid=build.app.guid,
        parent_name=build.app.name,
        memory_mb=build.memory_mb,
        instances=1,
    )
