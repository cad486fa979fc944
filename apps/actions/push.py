"""From source to a droplet: packages, builds, and going live when a build is done."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from apps.actions import app as apps
from apps.models import App, Build, Buildpack, Droplet, Package
from apps.workload import staging_environment
from paas.lib.errors import BadRequest, StagingInProgress, Unprocessable
from paas.lib.queue import later
from paas.lib.v3.bodies import merged
from tenants.access import authorize, require_flag

BUILD_MEMORY_MB, BUILD_DISK_MB = 1024, 4096


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


@transaction.atomic
def create_package(
    actor: User,
    app: App,
    *,
    type: str = "bits",
    image: str = "",
    credentials: dict[str, str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Package:
    """Write a package: bits wait for their upload, an image is ready at once."""
    authorize(actor, "app.push", app.space)
    if type == "docker":
        require_flag("diego_docker", actor)
    else:
        require_flag("app_bits_upload", actor)
    if (type == "docker") != (app.lifecycle == App.Lifecycle.DOCKER):
        raise Unprocessable(f"Cannot create {type} package for a {app.lifecycle} app.")
    package = Package.objects.create(
        app=app,
        type=type,
        state=Package.State.READY if type == "docker" else Package.State.AWAITING_UPLOAD,
        image=image,
        credentials=credentials or {},
        **merged(None, metadata or {}),
    )
    audit.record(actor, "audit.app.package.create", app, package_guid=package.guid, package_type=type)
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
def finish_upload(actor: User, package: Package, *, key: str, sha256: str, content_sha256: str, size: int) -> Package:
    """The bits are in the blob store under ``key``: the package is ready."""
    authorize(actor, "app.push", package.app.space)
    package = Package.objects.lock(package.pk)
    package.key, package.sha256, package.content_sha256, package.size = key, sha256, content_sha256, size
    package.state, package.error = Package.State.READY, ""
    package.save(update_fields=["key", "sha256", "content_sha256", "size", "state", "error", "updated_at"])
    audit.record(actor, "audit.app.package.upload", package.app, package_guid=package.guid, size=size)
    return package


@transaction.atomic
def refuse_upload(actor: User, package: Package, *, error: str) -> None:
    """The bits were no good: nothing of them is kept, and nothing newer hides the packages before it."""
    authorize(actor, "app.push", package.app.space)
    audit.record(actor, "audit.app.package.upload-refused", package.app, package_guid=package.guid, error=error)
    Package.objects.filter(pk=package.pk).delete()


@transaction.atomic
def stage(
    actor: User,
    package: Package,
    *,
    buildpacks: list[str] | None = None,
    stack: str = "",
    memory_mb: int | None = None,
    disk_mb: int | None = None,
    deploys: bool = False,
    metadata: dict[str, Any] | None = None,
) -> Build:
    """Ask for a build of the package. Of one app only one build runs; a package built before is built anew."""
    authorize(actor, "app.stage", package.app.space)
    app = App.objects.lock(package.app_id)
    package = Package.objects.get(pk=package.pk)
    if package.state != Package.State.READY:
        raise BadRequest("Cannot stage package whose state is not ready.")
    wanted = app.buildpacks if buildpacks is None else buildpacks
    check_buildpacks(wanted)
    memory, disk = memory_mb or BUILD_MEMORY_MB, disk_mb or BUILD_DISK_MB
    try:
        with transaction.atomic():
            build = Build.objects.create(
                app=app,
                package=package,
                memory_mb=memory,
                disk_mb=disk,
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
    audit.record(actor, "audit.app.build.create", app, build_guid=build.guid, package_guid=package.guid)
    audit.usage("build", "STAGING_STARTED", build, space=app.space, parent_guid=app.guid, parent_name=app.name, memory_mb=memory, instances=1)
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
    audit.usage("build", "STAGING_STOPPED", build, space=build.space, parent_guid=build.app.guid, parent_name=build.app.name, memory_mb=build.memory_mb, instances=1)


@transaction.atomic
def delete_package(actor: User, package: Package) -> None:
    authorize(actor, "app.push", package.app.space)
    audit.record(actor, "audit.app.package.delete", package.app, package_guid=package.guid)
    package.delete()


@transaction.atomic
def delete_droplet(actor: User, droplet: Droplet) -> None:
    """Remove a droplet that neither runs nor is the current one."""
    authorize(actor, "app.push", droplet.app.space)
    app = App.objects.lock(droplet.app_id)
    if app.droplet_id == droplet.pk:
        raise Unprocessable("The droplet is the app's current one; assign another first.")
    audit.record(actor, "audit.app.droplet.delete", app, droplet_guid=droplet.guid)
    droplet.delete()
