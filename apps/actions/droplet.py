"""Droplets that do not come from a build here: uploaded, copied, downloaded, deleted."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import Job, User
from apps.models import App, Deployment, Droplet
from apps.models.app import MOST_PROCESS_TYPES, PROCESS_TYPE
from paas.lib.errors import Unprocessable
from paas.lib.v3.bodies import merged
from tenants.access import authorize


@transaction.atomic
def create(
    actor: User, app: App, *, process_types: dict[str, str] | None = None, metadata: dict[str, Any] | None = None
) -> Droplet:
    """Write a droplet that waits for its bits."""
    authorize(actor, "app.push", app.space)
    if app.lifecycle == App.Lifecycle.DOCKER:
        raise Unprocessable("Droplet creation is not available for apps with docker lifecycles.")
    _check_types(process_types or {})
    droplet = Droplet.objects.create(
        app=app, stack=app.stack, process_types=process_types or {}, **merged(None, metadata or {})
    )
    audit.record(actor, "audit.app.droplet.create", app, droplet_guid=droplet.guid)
    return droplet


def _check_types(process_types: dict[str, str]) -> None:
    if len(process_types) > MOST_PROCESS_TYPES:
        raise Unprocessable(f"Process types are too many (maximum is {MOST_PROCESS_TYPES})")
    for wrong in (kind for kind in process_types if not PROCESS_TYPE.fullmatch(kind)):
        raise Unprocessable(
            f"Process types can only contain letters, digits, dots, dashes and underscores: '{wrong[:255]}'"
        )


@transaction.atomic
def copy(actor: User, source: Droplet, *, app: App) -> Droplet:
    """Give another app the same droplet; the bits are kept once."""
    authorize(actor, "app.push", source.app.space)
    authorize(actor, "app.push", app.space)
    source = Droplet.objects.lock(source.pk)
    if source.state != Droplet.State.STAGED:
        raise Unprocessable("Source droplet is not staged. Choose one that is, or stage its package first.")
    names = ("key", "sha256", "size", "stack", "image", "process_types", "sidecars", "buildpacks")
    copied = {name: getattr(source, name) for name in names}
    package = source.package if source.image else None  # it holds what the image's registry asks for
    droplet = Droplet.objects.create(app=app, state=Droplet.State.STAGED, package=package, **copied)
    audit.record(actor, "audit.app.droplet.create", app, droplet_guid=droplet.guid, source_droplet_guid=source.guid)
    return droplet


@transaction.atomic
def start_upload(actor: User, droplet: Droplet) -> Droplet:
    """Take the droplet for one upload; a second one at the same time is refused."""
    authorize(actor, "app.push", droplet.app.space)
    droplet = Droplet.objects.lock(droplet.pk)
    if droplet.state != Droplet.State.AWAITING_UPLOAD:
        raise Unprocessable("Bits may be uploaded only once. Create a new droplet to upload different bits.")
    droplet.state, droplet.error = Droplet.State.PROCESSING_UPLOAD, ""
    droplet.save(update_fields=["state", "error", "updated_at"])
    return droplet


@transaction.atomic
def finish_upload(actor: User, droplet: Droplet, *, key: str, sha256: str, size: int, start_command: str = "") -> Job:
    """The bits are in the blob store under ``key``: the droplet can be run."""
    authorize(actor, "app.push", droplet.app.space)
    droplet = Droplet.objects.lock(droplet.pk)
    droplet.key, droplet.sha256, droplet.size, droplet.state = key, sha256, size, Droplet.State.STAGED
    droplet.process_types = droplet.process_types or {"web": start_command}
    droplet.save(update_fields=["key", "sha256", "size", "state", "process_types", "updated_at"])
    audit.record(actor, "audit.app.droplet.upload", droplet.app, droplet_guid=droplet.guid, size=size)
    return Job.objects.create(
        owner=actor, operation="droplet.upload", state=Job.State.COMPLETE, resource_guid=droplet.guid
    )


@transaction.atomic
def refuse_upload(actor: User, droplet: Droplet, *, error: str) -> None:
    """The bits were no good: nothing of them is kept, and the droplet waits for others."""
    authorize(actor, "app.push", droplet.app.space)
    Droplet.objects.filter(pk=droplet.pk, state=Droplet.State.PROCESSING_UPLOAD).update(
        state=Droplet.State.AWAITING_UPLOAD, error=error
    )
    audit.record(actor, "audit.app.droplet.upload-refused", droplet.app, droplet_guid=droplet.guid, error=error)


@transaction.atomic
def download(actor: User, droplet: Droplet) -> str:
    """Record that the droplet is taken out, and return the key of its blob."""
    authorize(actor, "app.download", droplet.app.space)
    if droplet.image:
        raise Unprocessable("Cannot download droplets with 'docker' lifecycle.")
    if droplet.state != Droplet.State.STAGED or not droplet.key:
        raise Unprocessable(f"The droplet has no bits to download: it is {droplet.state}. Stage its package again.")
    audit.record(actor, "audit.app.droplet.download", droplet.app, droplet_guid=droplet.guid)
    return droplet.key


@transaction.atomic
def delete(actor: User, droplet: Droplet) -> Job:
    """Remove a droplet that neither runs nor is the current one; its bits go when nothing else names them."""
    authorize(actor, "app.push", droplet.app.space)
    app = App.objects.lock(droplet.app_id)
    if app.droplet_id == droplet.pk:
        raise Unprocessable("The droplet is the app's current one; assign another first.")
    if Deployment.objects.filter(Q(pk=app.target_id) | Q(pk=app.serving_id), droplet=droplet).exists():
        raise Unprocessable("The droplet is what the app runs right now; deploy another or stop the app first.")
    audit.record(actor, "audit.app.droplet.delete", app, droplet_guid=droplet.guid)
    droplet.delete()
    return Job.objects.create(
        owner=actor, operation="droplet.delete", state=Job.State.COMPLETE, resource_guid=droplet.guid
    )
