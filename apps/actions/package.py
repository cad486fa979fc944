"""Packages that are there: copied to another app, downloaded, deleted."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import Job, User
from apps.models import App, Package
from paas.lib.errors import Unprocessable
from tenants.access import authorize


@transaction.atomic
def copy(actor: User, source: Package, *, app: App) -> Package:
    """Give another app the same source; the bits are kept once."""
    authorize(actor, "app.push", source.app.space)
    authorize(actor, "app.push", app.space)
    source = Package.objects.lock(source.pk)
    if source.app_id == app.pk:
        raise Unprocessable("Source and destination app cannot be the same")
    if source.state != Package.State.READY:
        raise Unprocessable(f"The package cannot be copied: it is {source.state}. Copy one that is READY.")
    if (source.type == "docker") != (app.lifecycle == App.Lifecycle.DOCKER):
        raise Unprocessable(f"Cannot create {source.type} package for a {app.lifecycle} app.")
    names = ("type", "key", "sha256", "content_sha256", "size", "source_url", "source_ref", "image", "credentials")
    package = Package.objects.create(
        app=app, state=Package.State.READY, **{name: getattr(source, name) for name in names}
    )
    audit.record(actor, "audit.app.package.create", app, package_guid=package.guid, source_package_guid=source.guid)
    return package


@transaction.atomic
def download(actor: User, package: Package) -> str:
    """Record that the source is taken out, and return the key of its blob."""
    authorize(actor, "app.download", package.app.space)
    if package.type != "bits":
        raise Unprocessable("Package type must be bits.")
    if package.state != Package.State.READY or not package.key:
        raise Unprocessable(f"Package has no bits to download: it is {package.state}.")
    audit.record(actor, "audit.app.package.download", package.app, package_guid=package.guid)
    return package.key


@transaction.atomic
def delete(actor: User, package: Package) -> Job:
    """Remove the package; its droplets stay, and its bits go when nothing else names them."""
    authorize(actor, "app.push", package.app.space)
    audit.record(actor, "audit.app.package.delete", package.app, package_guid=package.guid)
    Package.objects.filter(pk=package.pk).delete()
    return Job.objects.create(
        owner=actor, operation="package.delete", state=Job.State.COMPLETE, resource_guid=package.guid
    )
